"""Stroke volume and ejection fraction, worked by hand."""

import re

import pytest

from monai_sfda.organs.heart.function import FRAMES, function_rows

NUMBERS = (
    "end_diastolic_volume_ml",
    "end_systolic_volume_ml",
    "stroke_volume_ml",
    "ejection_fraction_percent",
)


def row(file, ml, status="ok", **more):
    return {"file": file, "status": status, "cavity_ml": ml, **more}


def function(*rows):
    return function_rows(rows, "cavity_ml", re.compile(FRAMES))


def test_120_ml_and_50_ml_are_a_stroke_volume_of_70_ml_and_58_per_cent():
    (study,) = function(
        row("patient001_frame12.nii.gz", 50.0, myocardial_mass_g=99.0),
        row("patient001_frame01.nii.gz", 120.0, myocardial_mass_g=101.0),
    )
    assert study == {
        "study": "patient001",
        "status": "ok",
        "frames": 2,
        "end_diastole": "01",
        "end_systole": "12",
        "end_diastolic_volume_ml": 120.0,
        "end_systolic_volume_ml": 50.0,
        "stroke_volume_ml": 70.0,
        "ejection_fraction_percent": 58.33,
        "myocardial_mass_g": 101.0,
    }


def test_of_many_frames_the_largest_and_the_smallest_count():
    volumes = {1: 110.0, 2: 130.0, 3: 80.0, 4: 60.0, 5: 95.0}
    (study,) = function(*(row(f"a/b.nii.gz frame {frame}", ml) for frame, ml in volumes.items()))
    assert (study["study"], study["end_diastole"], study["end_systole"], study["frames"]) == ("a/b", "2", "4", 5)
    assert [study[name] for name in NUMBERS] == [130.0, 60.0, 70.0, 53.85]


@pytest.mark.parametrize(
    "other",
    [
        None,
        row("p_frame02.nii.gz", None),
        row("p_frame02.nii.gz", 0.0),
        {"file": "p_frame02.nii.gz", "status": "failed"},
    ],
    ids=["one frame", "no spacing", "no cavity", "failed"],
)
def test_what_is_not_known_is_empty(other):
    (study,) = function(row("p_frame01.nii.gz", 120.0), *([other] if other else []))
    assert study["status"] == "incomplete"
    assert [study[name] for name in NUMBERS] == [None] * 4
    assert study["frames"] == (2 if other else 1)


def test_a_frame_that_failed_could_be_the_smallest():
    rows = [row(f"p_frame{frame:02d}.nii.gz", 100.0 - frame) for frame in (1, 2)]
    (study,) = function(*rows, {"file": "p_frame03.nii.gz", "status": "failed"})
    assert study["ejection_fraction_percent"] is None


def test_a_flag_of_one_of_the_two_frames_is_said():
    (study,) = function(row("p_frame01.nii.gz", 120.0), row("p_frame02.nii.gz", 50.0, status="review"))
    assert (study["status"], study["stroke_volume_ml"]) == ("review", 70.0)


@pytest.mark.parametrize("series", ["p/series_5", "p_phase2/series_5", "p.v2/a b"])
def test_frames_of_a_dicom_series_are_one_study(series):
    (study,) = function(row(f"{series} frame 0", 120.0), row(f"{series} frame 12", 50.0))
    assert (study["study"], study["end_systole"], study["stroke_volume_ml"]) == (series, "12", 70.0)


def test_patients_in_a_folder_named_like_a_frame_are_not_one_study():
    files = ["trial_phase02/a.nii.gz", "trial_phase02/b.nii.gz", "trial_phase13/a.nii.gz"]
    studies = function(*(row(file, ml) for file, ml in zip(files, (120.0, 50.0, 80.0), strict=True)))
    assert [study["study"] for study in studies] == files
    assert {study["status"] for study in studies} == {"incomplete"}


def test_two_files_of_one_frame_leave_open_which_one_counts():
    (study,) = function(
        *(row(f"p_frame{name}.nii.gz", ml) for name, ml in [("01", 120.0), ("01_long", 90.0), ("12", 50.0)])
    )
    assert (study["status"], study["frames"]) == ("incomplete", 3)
    assert [study[name] for name in NUMBERS] == [None] * 4


def test_studies_are_told_by_their_folder_and_name_or_by_the_row():
    rows = [
        row("site/SC-HF-I-01_phase08.nii.gz", 50.0),
        row("site/SC-HF-I-01_phase19.nii.gz", 100.0),
        row("other/SC-HF-I-01_phase08.nii.gz", 50.0),
        row("lonely.nii.gz", 70.0),
        row("x.dcm", 60.0, study="1.2.3", frame=4),
        row("y.dcm", 80.0, study="1.2.3", frame=9),
    ]
    found = {study["study"]: study for study in function(*rows)}
    assert {name: study["frames"] for name, study in found.items()} == {
        "1.2.3": 2,
        "lonely.nii.gz": 1,
        "other/SC-HF-I-01": 1,
        "site/SC-HF-I-01": 2,
    }
    assert found["1.2.3"]["end_diastole"] == "9"
    assert found["1.2.3"]["ejection_fraction_percent"] == 25.0
    assert "myocardial_mass_g" not in found["1.2.3"]


@pytest.mark.parametrize(
    ("other", "status"),
    [({}, "ok"), ({"slices": 9}, "unequal"), ({"cavity_voxels": 6000}, "unequal"), ({"cavity_voxels": 3010}, "ok")],
)
def test_frames_of_other_slices_or_voxels_are_not_compared(other, status):
    same = {"slices": 10, "cavity_voxels": 6000}
    frames = (
        row("p_frame01.nii.gz", 120.0, **same),
        row("p_frame12.nii.gz", 60.0, **same | {"cavity_voxels": 3000} | other),
    )
    (study,) = function(*frames)
    assert (study["status"], study["stroke_volume_ml"]) == (status, 60.0 if status == "ok" else None)
