"""How voxels lie on the grid of a network, whatever the axes of the file."""

import itertools

import nibabel
import numpy as np
import pytest
import torch
from nibabel.orientations import apply_orientation, axcodes2ornt, inv_ornt_aff, io_orientation, ornt_transform

from monai_sfda.volumes import Grid, Volume

CODES = ["".join(code) for axes in itertools.permutations(("LR", "PA", "IS")) for code in itertools.product(*axes)]


def ramp():
    """A thick stack whose values tell the place: right to left, front to back, feet to head."""
    x, y, z = np.meshgrid(np.arange(12), np.arange(10), np.arange(4), indexing="ij")
    values = x + 100.0 * y + 10000.0 * z
    return Volume(values.astype(np.float32), np.diag([-1.0, -1.0, 5.0, 1.0]))


def stored_as(volume, code):
    """The same volume, with the axes of its file in another order and direction."""
    turn = ornt_transform(io_orientation(volume.affine), axcodes2ornt(tuple(code)))
    values = apply_orientation(volume.values, turn)
    return Volume(values, volume.affine @ inv_ornt_aff(turn, volume.values.shape))


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("spacing", [(1.0, 1.0), (5.0, 1.0, 1.0)], ids=["slices", "volume"])
def test_a_network_sees_the_same_whatever_the_axes_of_the_file(code, spacing):
    volume = ramp()
    other = stored_as(volume, code)
    grid = Grid.of(other, spacing)
    seen, expected = grid.to_network(other.values), Grid.of(volume, spacing).to_network(volume.values)
    if len(spacing) == 2 and "I" in code:
        expected = expected.flip(0)  # slices stay in the order of the file
    assert torch.equal(seen, expected)
    assert np.array_equal(grid.to_stored(seen[None])[0], other.values)


def test_columns_run_to_the_left_and_rows_to_the_back_of_the_patient():
    seen = Grid.of(ramp(), (1.0, 1.0)).to_network(ramp().values)
    assert seen[0, 0, 1] - seen[0, 0, 0] == 1
    assert seen[0, 1, 0] - seen[0, 0, 0] == 100


def test_a_file_that_does_not_say_how_it_lies_is_taken_as_stored():
    volume = stored_as(ramp(), "PSR")._replace(placed=False)
    assert torch.equal(
        Grid.of(volume, (1.0, 1.0))._replace(size=volume.values.shape[::-1]).to_network(volume.values),
        torch.from_numpy(volume.values.transpose(2, 1, 0).copy()),
    )


def test_slices_are_resampled_in_their_plane_alone():
    volume = Volume(np.random.default_rng(0).random((20, 30, 5), np.float32), np.diag([2.0, 2.0, 8.0, 1.0]))
    grid = Grid.of(volume, (1.0, 4.0))
    assert grid.size == (5, 60, 10)
    back = grid.to_stored(grid.to_network(np.ones_like(volume.values))[None])
    assert back.shape == (1, 20, 30, 5)
    assert np.allclose(back, 1)


def test_a_label_map_is_decided_at_the_size_of_the_file():
    volume = ramp()
    grid = Grid.of(volume, (2.0, 2.0))
    probs = torch.rand(3, *grid.size)
    ids = grid.to_stored(probs, decide=lambda part: part.argmax(0, keepdim=True).byte())
    assert ids.dtype == np.uint8
    assert np.array_equal(ids[0], grid.to_stored(probs).argmax(0))


def test_a_mask_lies_on_its_image_after_a_file_round(tmp_path):
    volume = stored_as(ramp(), "SRA")
    nibabel.save(nibabel.Nifti1Image(volume.values, volume.affine), tmp_path / "a.nii.gz")
    from monai_sfda.volumes import read_volume

    read = read_volume(str(tmp_path / "a.nii.gz"))
    assert np.allclose(read.affine, volume.affine)
    assert np.array_equal(read.values, volume.values)
    assert read.placed
