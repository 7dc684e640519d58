import pytest

from monai_sfda.organs.fundus.eye import eye_columns, isnt_order
from monai_sfda.organs.fundus.ratios import SIDES

MEANS = {"bottom": 9.0, "top": 8.0, "right": 7.0, "left": 6.0}
RATIOS = {f"rim_mean_{side}_px": width for side, width in MEANS.items()}


@pytest.mark.parametrize(
    ("nasal", "expected"), [("right", True), ("left", False), (None, None)], ids=["right eye", "left eye", "unknown"]
)
def test_isnt_depends_on_the_eye(nasal, expected):
    assert isnt_order(MEANS, nasal) is expected


def test_isnt_allows_equal_widths_and_needs_all_of_them():
    assert isnt_order(dict.fromkeys(SIDES, 5.0), "left") is True
    assert isnt_order(dict.fromkeys(SIDES, None), "left") is None


@pytest.mark.parametrize(
    ("name", "tag", "eye", "source", "isnt", "conflict"),
    [
        ("12_OD.png", None, "right", "name", True, None),
        ("12_OD.dcm", "L", "left", "DICOM", False, True),
        ("12_OD.dcm", "R", "right", "DICOM", True, False),
        ("12.dcm", "R", "right", "DICOM", True, None),
        ("12.png", None, None, None, None, None),
    ],
)
def test_the_header_goes_before_the_name_and_a_contradiction_is_told(name, tag, eye, source, isnt, conflict):
    assert eye_columns(name, tag, RATIOS) == {
        "laterality": eye,
        "laterality_from": source,
        "nasal_side": eye,
        "isnt": isnt,
        "eye_conflict": conflict,
    }
