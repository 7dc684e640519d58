"""The label map of a series as DICOM Segmentation, read back by highdicom."""

import io

import numpy as np
import pytest

pytest.importorskip("highdicom")
import pydicom
from dicom_series import OBLIQUE, RNG, enhanced, write_series, write_slice
from highdicom.seg import Segmentation

from monai_sfda.organs.fundus import DiscAndCup
from monai_sfda.prediction.convert_masks import Unsuited
from monai_sfda.prediction.dicom_seg_series import dicom_seg_of_series
from monai_sfda.volumes import read_volume

CLASSES = {1: "cavity", 2: "muscle", 3: "nothing"}
ABOUT = {"classes": CLASSES, "model": ("Heart", "0.1.0"), "weights": "abc"}
IDS = RNG.integers(0, 3, (5, 6, 4)).astype(np.uint8)  # columns, rows, slices
IDS[..., 2] = 0


def segmented(paths, ids=IDS, **about):
    content = dicom_seg_of_series(paths, ids, **{**ABOUT, **about})
    return Segmentation.from_dataset(pydicom.dcmread(io.BytesIO(content)))


def assert_in_place(made, volume, ids, number, segment):
    """Each voxel of a segment is where the series has it, and no other is."""
    read = made.get_volume(segment_numbers=[segment], combine_segments=False)
    array = np.asarray(read.array)[..., 0]
    right = np.diag([-1, -1, 1, 1]) @ read.affine
    places = np.argwhere(array) @ right[:3, :3].T + right[:3, 3]
    voxels = np.linalg.inv(volume.affine) @ np.c_[places, np.ones(len(places))].T
    found = np.zeros(ids.shape, bool)
    index = np.rint(voxels[:3].T).astype(int)
    assert np.allclose(voxels[:3].T, index, atol=1e-4)
    found[tuple(index.T)] = True
    assert np.array_equal(found, ids == number)


@pytest.mark.parametrize("axes", [OBLIQUE, [1, 0, 0, 0, 1, 0], [0, 1, 0, 0, 0, -1], [-0.6, 0.8, 0, 0, 0, 1]])
def test_segments_lie_on_the_voxels_of_the_series(tmp_path, axes):
    paths = write_series(tmp_path, axes=axes)
    made = segmented(RNG.permutation(paths).tolist())
    volume = read_volume(paths)
    assert [made.get_segment_description(n).segment_label for n in made.segment_numbers] == ["cavity", "muscle"]
    for number in (1, 2):
        assert_in_place(made, volume, IDS, number, number)
    assert made.StudyInstanceUID == "1.2"
    assert made.FrameOfReferenceUID == "1.9"
    assert int(made.NumberOfFrames) == 6  # two segments in three of four slices


def test_it_refers_to_the_images_it_lies_on(tmp_path):
    paths = write_series(tmp_path)
    made = segmented(paths)
    known = {pydicom.dcmread(path).SOPInstanceUID for path in paths}
    referred = {
        item.SOPInstanceUID if "SOPInstanceUID" in item else item.ReferencedSOPInstanceUID
        for item in made.ReferencedSeriesSequence[0].ReferencedInstanceSequence
    }
    assert referred == known


def test_the_same_result_has_the_same_identity(tmp_path):
    paths = write_series(tmp_path)
    first, again = segmented(paths), segmented(paths[::-1])
    assert first.SOPInstanceUID == again.SOPInstanceUID
    other = IDS.copy()
    other[0, 0, 0] = 1 - min(1, other[0, 0, 0])
    assert segmented(paths, other).SOPInstanceUID != first.SOPInstanceUID
    assert segmented(paths, other).SeriesInstanceUID == first.SeriesInstanceUID
    assert segmented(paths, weights="x").SeriesInstanceUID != first.SeriesInstanceUID


def test_what_lies_inside_counts_as_part(tmp_path):
    paths = write_series(tmp_path)
    cup = np.where(IDS == 2, 2, 0).astype(np.uint8)
    made = segmented(paths, cup, classes={1: "optic disc", 2: "cup"}, findings=DiscAndCup(disc=1, cup=2))
    volume = read_volume(paths)
    assert_in_place(made, volume, cup, 2, 1)
    assert_in_place(made, volume, cup, 2, 2)


def test_a_frame_of_a_series_refers_to_its_own_images(tmp_path):
    paths = []
    for place in range(4):
        for time in range(2):
            paths.append(write_slice(tmp_path / f"{place}{time}", 8 * place, TriggerTime=time))
    made = segmented(paths, frame=1)
    assert_in_place(made, read_volume(paths, 1), IDS, 1, 1)
    items = made.ReferencedSeriesSequence[0].ReferencedInstanceSequence
    assert {item.ReferencedSOPInstanceUID for item in items} == {pydicom.dcmread(p).SOPInstanceUID for p in paths[1::2]}


def test_a_file_of_many_frames_is_segmented_at_its_places(tmp_path):
    path = enhanced(tmp_path / "a.dcm", (16, 0, 24, 8), (2, 1))
    made = segmented([path], frame=1)
    for number in (1, 2):
        assert_in_place(made, read_volume([path], 1), IDS, number, number)


def test_a_tilted_stack_keeps_its_places(tmp_path):
    from dicom_series import position

    paths = []
    for n in range(4):
        place = np.add(position(5 * n), [0, 0, 0.5 * n]).tolist()
        paths.append(write_slice(tmp_path / str(n), 0, ImagePositionPatient=place))
    made = segmented(paths)
    volume = read_volume(paths)
    for group in made.PerFrameFunctionalGroupsSequence:
        place = np.array([-1, -1, 1]) * group.PlanePositionSequence[0].ImagePositionPatient
        index = np.linalg.solve(volume.affine, [*place, 1])[:3]
        assert np.allclose(index, [0, 0, np.rint(index[2])], atol=1e-4)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"StudyInstanceUID": None}, "found no StudyInstanceUID"),
        ({"FrameOfReferenceUID": None}, "Expected images with a place in the patient"),
    ],
)
def test_what_has_no_study_or_no_place_is_unsuited(tmp_path, change, words):
    with pytest.raises(Unsuited, match=words):
        segmented(write_series(tmp_path, **change))


def test_a_mask_that_is_empty_or_of_another_size_is_unsuited(tmp_path):
    paths = write_series(tmp_path)
    with pytest.raises(Unsuited, match="found none; there is nothing to write"):
        segmented(paths, np.zeros_like(IDS))
    with pytest.raises(Unsuited, match="found one of another size"):
        segmented(paths, IDS[..., :3])
    (tmp_path / "a.nii.gz").write_bytes(b"x" * 200)
    with pytest.raises(Unsuited, match="take the mask as nifti"):
        segmented([str(tmp_path / "a.nii.gz")])
