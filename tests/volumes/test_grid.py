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


def oblique(rng, zooms):
    """An affine of any rotation, with or without a reflection."""
    rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    affine = np.eye(4)
    affine[:3, :3] = rotation * zooms
    affine[:3, 3] = rng.normal(size=3) * 50
    return affine


@pytest.mark.parametrize("seed", range(20))
def test_oblique_volumes_are_turned_as_nibabel_and_monai_turn_them(seed):
    from monai.data import MetaTensor
    from monai.transforms import Orientation

    rng = np.random.default_rng(seed)
    values = rng.random((5, 6, 7), np.float32)
    affine = oblique(rng, (2.0, 2.0, 2.0))
    seen = Grid.of(Volume(values, affine), (2.0, 2.0, 2.0)).to_network(values)
    canonical = nibabel.as_closest_canonical(nibabel.Nifti1Image(values, affine))
    right_front_head = np.asarray(canonical.dataobj)
    assert np.array_equal(seen, right_front_head[::-1, ::-1].transpose(2, 1, 0))
    left_back_head = Orientation("LPS", labels=None)(MetaTensor(values[None], affine=affine))[0]
    assert np.array_equal(seen, left_back_head.numpy().transpose(2, 1, 0))


def test_a_volume_at_45_degrees_comes_back_voxel_for_voxel():
    turn = np.array([[1, -1, 0], [1, 1, 0], [0, 0, 2**0.5]]) / 2**0.5
    for noise in (-1e-12, 0, 1e-12):
        affine = np.eye(4)
        affine[:3, :3] = turn
        affine[0, 0] += noise
        values = np.random.default_rng(0).random((5, 6, 7), np.float32)
        for spacing in [(1.0, 1.0), (1.0, 1.0, 1.0)]:
            grid = Grid.of(Volume(values, affine), spacing)
            assert sorted(grid.axes) == [0, 1, 2]
            assert np.array_equal(grid.to_stored(grid.to_network(values)[None])[0], values)


@pytest.mark.parametrize("axis", range(3))
def test_a_single_slice_is_one_however_thick(axis):
    shape = [9, 8, 7]
    shape[axis] = 1
    zooms = np.full(3, 2.0)
    zooms[(axis + 1) % 3], zooms[axis] = 1.0, 0.1
    volume = Volume(np.zeros(shape, np.float32), np.diag([*zooms, 1.0]))
    assert Grid.of(volume, (1.0, 1.0)).stored[0] == 1


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 1, 9), (1, 9, 9)])
def test_axes_of_one_voxel_are_no_error(shape):
    volume = Volume(np.ones(shape, np.float32), np.diag([1.5, 1.5, 3.0, 1.0]))
    for spacing in [(1.0, 1.0), (1.0, 1.0, 1.0), (9.0, 9.0, 9.0)]:
        grid = Grid.of(volume, spacing)
        assert torch.allclose(grid.to_network(volume.values), torch.ones(grid.size))
        assert grid.to_stored(torch.ones(2, *grid.size)).shape == (2, *shape)


def test_a_fine_volume_is_seen_without_aliases():
    stripes = np.zeros((40, 40, 40), np.float32)
    stripes[..., ::2] = 1
    seen = Grid.of(Volume(stripes, np.eye(4)), (4.0, 4.0, 4.0)).to_network(stripes)
    assert seen.shape == (10, 10, 10)
    assert (seen - 0.5).abs().max() < 0.15


def test_the_middle_of_a_structure_stays_where_it_was():
    values = np.zeros((30, 41, 9), np.float32)
    values[7:12, 20:31, 2:6] = 1
    volume = Volume(values, np.diag([0.9, 1.3, 4.0, 1.0]))
    for spacing in [(1.5, 1.5), (2.0, 1.1, 1.1)]:
        grid = Grid.of(volume, spacing)
        back = grid.to_stored(grid.to_network(values)[None])[0] > 0.5
        for was, now in zip(np.argwhere(values > 0).mean(0), np.argwhere(back).mean(0), strict=True):
            assert abs(was - now) < 0.35
