import pytest

from monai_sfda.organs.fundus.laterality import eye_of

RIGHT = ["12_OD.png", "12-od.jpg", "right eye 12.tif", "10_right.jpeg", "right/12.png", "12_R.png", "12r.png"]
RIGHT += ["left/12.03.2024_OD.jpg", "Dr. Müller_OD.png", "Ríos_R.nii.gz"]
NEITHER = ["12.png", "l.png", "small.png", "brightness.png", "positive/model.png", "left_right.png", "r/12.png", ""]
NEITHER += ["Ríos/12.jpg", "OD.OS.png"]


@pytest.mark.parametrize("case", RIGHT)
def test_a_right_eye_by_name(case):
    assert eye_of(case) == ("right", "name")


@pytest.mark.parametrize("case", ["12_OS.png", "os.12.png", "clinic/left/a.png", "a_LEFT.nii.gz", "12 l.png"])
def test_a_left_eye_by_name(case):
    assert eye_of(case) == ("left", "name")


@pytest.mark.parametrize("case", NEITHER)
def test_a_name_that_says_nothing_or_both(case):
    assert eye_of(case) == (None, None)


def test_the_file_counts_before_its_folder_and_the_tag_before_both():
    assert eye_of("left/12_OD.png") == ("right", "name")
    assert eye_of("left/12_OD.dcm", "L") == ("left", "DICOM")
    assert eye_of("12_OD.dcm", "B") == ("right", "name")
