import itertools

import numpy as np
import pytest
from nibabel.orientations import apply_orientation, axcodes2ornt, inv_ornt_aff, io_orientation, ornt_transform

from monai_sfda.volumes import Volume
from monai_sfda.volumes.labels import label_on, voxels_at

IDS = np.arange(4 * 4 * 4, dtype=np.uint8).reshape(4, 4, 4)
AFFINE = np.array([[1.4, 0.3, 0, 5], [-0.3, 1.4, 0, 6], [0, 0, 8, 7], [0, 0, 0, 1.0]])
CODES = ["".join(code) for axes in itertools.permutations(("LR", "PA", "IS")) for code in itertools.product(*axes)]


@pytest.mark.parametrize("code", CODES)
def test_a_label_map_with_other_axes_is_turned_onto_its_image(code):
    turn = ornt_transform(io_orientation(AFFINE), axcodes2ornt(tuple(code)))
    other = Volume(apply_orientation(IDS, turn), AFFINE @ inv_ornt_aff(turn, IDS.shape))
    assert np.array_equal(label_on(Volume(np.zeros_like(IDS), AFFINE), other), IDS)


@pytest.mark.parametrize("shift", [0.5, 1.0])
def test_a_label_map_elsewhere_is_refused(shift):
    moved = AFFINE.copy()
    moved[0, 3] += shift * np.linalg.norm(AFFINE[:3, 0]) + 1e-6
    with pytest.raises(ValueError, match="found other places in its affine; save it with the header"):
        label_on(Volume(IDS, AFFINE), Volume(IDS, moved))


def test_a_label_map_of_another_size_is_refused():
    with pytest.raises(ValueError, match="found 4 x 4 x 3 for 4 x 4 x 4; resample"):
        label_on(Volume(IDS, AFFINE), Volume(IDS[..., :3], AFFINE))
    with pytest.raises(ValueError, match="found 4 x 4 x 3 for 4 x 4 x 4; resample"):
        label_on(Volume(IDS, AFFINE), Volume(IDS[..., :3], AFFINE, placed=False))


def test_a_label_map_without_a_place_is_taken_as_stored():
    assert np.array_equal(label_on(Volume(IDS, AFFINE), Volume(IDS, np.eye(4), placed=False)), IDS)


def test_a_label_map_without_a_place_has_the_sizes_of_its_image_or_states_none():
    volume = Volume(IDS, np.diag([-2.0, -2.0, 4.0, 1.0]))
    for sizes, measured in [((2, 2, 4), True), ((2.01, 2, 4), True), ((1, 1, 1), True), ((1, 1, 9), False)]:
        label = Volume(IDS, np.diag([*sizes, 1.0]), placed=False, measured=measured)
        assert np.array_equal(label_on(volume, label), IDS)
    other = Volume(IDS, np.diag([1.0, 1.0, 9.0, 1.0]), placed=False)
    with pytest.raises(ValueError, match=r"found other sizes of a voxel \(1 x 1 x 9 mm\); save it with the header"):
        label_on(volume, other)


@pytest.mark.parametrize(
    ("ids", "words"),
    [
        ([0, 0.5, 1], "found fractions"),
        ([0, 1, 256], "found other numbers"),
        ([-1, 0, 1], r"other numbers \(-1 to 1\)"),
    ],
)
def test_what_is_no_class_id_is_refused(ids, words):
    values = np.resize(np.array(ids, np.float32), (4, 4, 4))
    with pytest.raises(ValueError, match=words):
        label_on(Volume(IDS, AFFINE), Volume(values, AFFINE))


@pytest.mark.parametrize(("factor", "words"), [(1, None), (2, "found one elsewhere"), (0.5, "found one elsewhere")])
def test_pixels_of_another_size_are_no_voxels_of_the_volume(tmp_path, factor, words):
    pytest.importorskip("pydicom")
    from dicom_series import write_series, write_slice

    from monai_sfda.volumes import read_volume
    from monai_sfda.volumes.slices import slices_of

    volume = read_volume(write_series(tmp_path / "series", PixelSpacing=[2, 2]))
    (frame,) = slices_of(write_slice(tmp_path / "outline", 8, PixelSpacing=[2 * factor, 2 * factor]))
    pixels = np.array([[0, 0], [1, 1], [1, 0]])
    if words is None:
        assert voxels_at(pixels, frame, volume).tolist() == [[0, 0, 1], [1, 1, 1], [0, 1, 1]]
        return
    with pytest.raises(ValueError, match=words):
        voxels_at(pixels, frame, volume)
