"""The official form of the Sunnybrook data, imitated."""

import shutil

import numpy as np
import pytest
from dicom_files import write_dicom
from sunnybrook_files import CONTOURS, sunnybrook

from monai_sfda.datasets.sunnybrook_dicom import find_dicom, load_dicom

SERIES = "SCD_IMAGES_01/SCD0000101/CINESAX_300"


@pytest.fixture
def download(tmp_path):
    return sunnybrook(tmp_path)


def test_series_and_contours_meet_by_patient_and_number(download):
    found = find_dicom(download)
    assert {name: case.about["frame"] for name, (case, _) in found.items()} == {
        "SC-HF-I-01_phase08": "ES",
        "SC-HF-I-01_phase20": "ED",
    }
    case, slices = found["SC-HF-I-01_phase08"]
    assert [(one.number, one.contour is None) for one in slices] == [(8, False), (28, True), (48, False)]
    assert case.about["levels_without_contour"] == "2"


def test_position_and_values_are_those_of_the_series(download):
    image, ids = load_dicom(find_dicom(download)["SC-HF-I-01_phase08"][1])
    assert np.asarray(image.dataobj)[0, 0].tolist() == [8, 28, 48]
    # Columns towards the left (-x in RAS) by 1.25 mm, rows towards the feet by 1.5, slices towards the back (-y) by 9.
    assert np.allclose(image.affine, [[-1.25, 0, 0, -10], [0, 0, -9, -29], [0, -1.5, 0, 30], [0, 0, 0, 1]])
    assert ids[..., 1].sum() == 0
    assert np.argwhere(ids[..., 0]).tolist() == [[2, 1], [2, 2], [3, 1], [3, 2]]


def test_the_folders_of_the_challenge_are_read_too(download):
    (download / "SC-HF-I-1").mkdir()
    shutil.move(download / SERIES, download / "SC-HF-I-1" / "DICOM")
    (download / "scd_patientdata.csv").unlink()
    assert list(find_dicom(download)) == ["SC-HF-I-01_phase08", "SC-HF-I-01_phase20"]


def test_a_contour_without_its_image_is_named(download):
    (download / SERIES / "IM-0003-0048.dcm").unlink()
    with pytest.raises(ValueError, match=r"an image for each contour, found none for 1 \(SC-HF-I-01 48\)"):
        find_dicom(download)


def test_without_the_list_of_patients_it_is_asked_for(download):
    (download / "scd_patientdata.csv").unlink()
    with pytest.raises(FileNotFoundError, match=r"Expected files such as scd_patientdata\.csv"):
        find_dicom(download)


def test_two_series_that_could_be_meant_are_refused(download):
    shutil.copytree(download / SERIES, download / "SCD_IMAGES_01/SCD0000101/CINESAX_301")
    with pytest.raises(ValueError, match="Expected one file for image 8 of SC-HF-I-01"):
        find_dicom(download)


def slice_elsewhere(download):
    path = download / SERIES / "IM-0003-0028.dcm"
    write_dicom(
        path,
        np.zeros((8, 6), np.uint16),
        "MONOCHROME2",
        bits=12,
        PixelSpacing=[1.5, 1.25],
        ImageOrientationPatient=[1, 0, 0, 0, 0, -1],
        ImagePositionPatient=[10.0, 29.0, 30.0],
    )


def slice_without_position(download):
    write_dicom(download / SERIES / "IM-0003-0028.dcm", np.zeros((8, 6), np.uint16), "MONOCHROME2", bits=12)


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (slice_elsewhere, r"Expected slices one behind the other, found distances of 0\.0, 18\.0 mm"),
        (slice_without_position, r"Expected a slice with its position in .*0028\.dcm"),
        (lambda d: (d / SERIES / "IM-0003-0028.dcm").write_bytes(b"<html>"), "Expected a slice with its position"),
        (lambda d: (d / CONTOURS.format("SC-HF-I-01", 8)).write_text("0 0\n9 0\n9 9\n"), "inside its image"),
    ],
)
def test_files_that_cannot_be_used_are_one_sentence(download, spoil, sentence):
    spoil(download)
    with pytest.raises(ValueError, match=sentence) as error:
        load_dicom(find_dicom(download)["SC-HF-I-01_phase08"][1])
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "sentence"), [("1 2\n3 4\n", "fewer than 3"), ("1 a\n", "Expected two numbers a line")]
)
def test_a_contour_that_is_none_is_refused(download, text, sentence):
    (download / CONTOURS.format("SC-HF-I-01", 8)).write_text(text)
    with pytest.raises(ValueError, match=sentence):
        find_dicom(download)
