"""Outlines as DICOM Segmentation; pictures and NIfTI are in test_outlines."""

import numpy as np
import pytest

from monai_sfda.candidates.read_outline import read_outline
from monai_sfda.candidates.structures import Structures
from monai_sfda.organs.fundus import DiscAndCup
from monai_sfda.prediction.dicom_seg import dicom_seg

pytest.importorskip("highdicom")
import pydicom
from dicom_files import write_dicom

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
