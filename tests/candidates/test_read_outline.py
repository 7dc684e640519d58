"""Outlines as DICOM Segmentation; pictures and NIfTI are in test_outlines."""

import nibabel
import numpy as np
import pytest

from monai_sfda.candidates.images import copy_volume
from monai_sfda.candidates.read_outline import read_outline
from monai_sfda.candidates.structures import Structures
from monai_sfda.organs.fundus import DiscAndCup
from monai_sfda.prediction.dicom_seg import dicom_seg
from monai_sfda.prediction.dicom_seg_series import dicom_seg_of_series
from monai_sfda.volumes import VolumeReader, read_volume

pytest.importorskip("highdicom")
import pydicom
from dicom_files import write_dicom
from dicom_series import OBLIQUE, RNG, write_series

STRUCTURES = Structures(["disc", "cup"], [[1, 2], [2]], "sigmoid", True, ["optic disc", "optic cup"])
IDS = np.zeros((5, 7), np.uint8)
IDS[1:4, 2:6], IDS[2, 3:5] = 1, 2
PLACE = {"StudyInstanceUID": "1.2", "SeriesInstanceUID": "1.2.3", "PatientID": "7", "PatientName": "Doe"}


def photograph(path, **extra):
    known = {
        **PLACE,
        "StudyDate": "",
        "StudyTime": "",
        "AccessionNumber": "",
        "StudyID": "",
        "ReferringPhysicianName": "",
    }
    known |= {"PatientBirthDate": "", "PatientSex": "", "Modality": "OP"}
    return write_dicom(path, np.zeros((5, 7), np.uint8), "MONOCHROME2", **known, **extra)


def outline(path, image, classes, ids=IDS):
    findings = DiscAndCup(disc=1, cup=2)
    path.write_bytes(dicom_seg(image, ids, classes=classes, findings=findings, model=("m", "1"), weights="w"))
    return path


@pytest.mark.parametrize("names", [("Optic disc", "optic cup"), ("disc", "cup")])
def test_segments_are_known_by_the_names_of_structures_or_classes(tmp_path, names):
    image = photograph(tmp_path / "a.dcm")
    found = read_outline(outline(tmp_path / "o.dcm", image, dict(enumerate(names, 1))), image, STRUCTURES)
    assert np.array_equal(found, np.stack([IDS > 0, IDS > 1]))


def test_what_does_not_fit_is_one_sentence(tmp_path):
    image, other = photograph(tmp_path / "a.dcm"), photograph(tmp_path / "b.dcm")
    strange = outline(tmp_path / "o.dcm", image, {1: "vessel", 2: "cup"})
    with pytest.raises(ValueError, match="Expected segments named disc, cup, found one named vessel"):
        read_outline(strange, image, STRUCTURES)
    good = outline(tmp_path / "good.dcm", image, {1: "disc", 2: "cup"})
    with pytest.raises(ValueError, match="Expected an outline of this image alone, found one of another"):
        read_outline(good, other, STRUCTURES)
    with pytest.raises(ValueError, match="Expected a binary DICOM Segmentation as outline, found other DICOM"):
        read_outline(image, image, STRUCTURES)
    data = pydicom.dcmread(good)
    data.Rows, data.Columns = 7, 5
    data.save_as(good)
    with pytest.raises(ValueError, match="found image 7x5, label 5x7"):
        read_outline(good, image, STRUCTURES)


HEART = Structures(["cavity", "wall"], [[1], [2]], "softmax", False, ["left ventricular cavity", "myocardium"], True)
VOXELS = RNG.integers(0, 3, (5, 6, 4)).astype(np.uint8)
VOXELS[..., 1:3] = 0  # with nothing between them, the distance of slices cannot be told from the outline alone


def drawn_series(folder, name="outline.dcm", heights=(0, 8, 16, 24), **place):
    """Copy of a series as the person who outlines gets it, and an outline that was drawn on the series itself."""
    paths = write_series(folder / name.removesuffix(".dcm"), heights, **place)
    copy = folder / f"{name}.nii.gz"
    copy_volume({"image": paths}, copy, reader=VolumeReader([1.25, 1.25], percentiles=[0.5, 99.5]))
    classes = {1: "left ventricular cavity", 2: "wall"}
    content = dicom_seg_of_series(paths, VOXELS, classes=classes, model=("m", "1"), weights="w")
    (folder / name).write_bytes(content)
    return copy, folder / name


@pytest.mark.parametrize("axes", [OBLIQUE, [1, 0, 0, 0, 1, 0], [0, 1, 0, 0, 0, -1]])
def test_an_outline_of_a_series_is_put_on_the_voxels_of_its_copy(tmp_path, axes):
    copy, outline = drawn_series(tmp_path, axes=axes)
    found = read_outline(outline, copy, HEART)
    assert np.array_equal(found, np.stack([VOXELS == 1, VOXELS == 2]))
    turned = nibabel.load(copy).as_reoriented([[2, -1], [0, 1], [1, -1]])
    nibabel.save(turned, tmp_path / "turned.nii.gz")
    found = read_outline(outline, tmp_path / "turned.nii.gz", HEART)
    expected = nibabel.Nifti1Image(VOXELS, read_volume(copy).affine).as_reoriented([[2, -1], [0, 1], [1, -1]])
    assert np.array_equal(found[0], np.asarray(expected.dataobj) == 1)


def test_an_outline_of_another_series_is_refused(tmp_path):
    _, outline = drawn_series(tmp_path)
    for name, about in {"moved": {"heights": (2, 10, 18, 26)}, "fine": {"PixelSpacing": [1, 1]}}.items():
        copy, _ = drawn_series(tmp_path, f"{name}.dcm", **about)
        with pytest.raises(ValueError, match="Expected an outline on the voxels of its volume, found one elsewhere"):
            read_outline(outline, copy, HEART)
    nowhere = tmp_path / "nowhere.nii.gz"
    nibabel.save(nibabel.Nifti1Image(VOXELS, None), nowhere)
    with pytest.raises(ValueError, match="with a place in the patient, found one without"):
        read_outline(outline, nowhere, HEART)


@pytest.mark.parametrize("part", ["PerFrameFunctionalGroupsSequence", "SegmentSequence", "PixelData"])
def test_a_segmentation_without_a_part_is_one_sentence(tmp_path, part):
    image = photograph(tmp_path / "a.dcm")
    path = outline(tmp_path / "o.dcm", image, {1: "disc", 2: "cup"})
    data = pydicom.dcmread(path)
    delattr(data, part)
    data.save_as(path)
    with pytest.raises(ValueError, match="Expected a complete DICOM Segmentation, found a damaged one"):
        read_outline(path, image, STRUCTURES)


def test_segments_that_overlap_are_refused_where_structures_exclude_each_other(tmp_path):
    image = photograph(tmp_path / "a.dcm")
    path = outline(tmp_path / "o.dcm", image, {1: "disc", 2: "cup"})
    with pytest.raises(ValueError, match="Expected segments that exclude each other, as disc, cup do"):
        read_outline(path, image, STRUCTURES._replace(head="softmax", nested=False))
