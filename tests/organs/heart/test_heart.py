"""Columns, flags and codes of the ventricles."""

import numpy as np
import pytest

from monai_sfda.data import pseudonymise
from monai_sfda.findings import Prediction
from monai_sfda.organs.heart import Heart
from monai_sfda.pieces import bounding_box

CLASSES = {1: "left ventricular cavity", 2: "myocardium", 3: "right ventricle"}
HEART = Heart(cavity=1, myocardium=2, right=3)


def ventricles(levels=4):
    """(Z, Y, X): a cavity of 4 voxels a slice in a ring of 12, and a right ventricle beside it."""
    ids = np.zeros((levels, 10, 12), np.uint8)
    ids[:, 2:6, 2:6] = 2
    ids[:, 3:5, 3:5] = 1
    ids[:, 3:5, 7:10] = 3
    return ids


def box(ids):
    """`bounding_box` of a volume."""
    return (slice(0, len(ids)), *bounding_box(ids.any(0)))


def columns(findings, ids, **more):
    return findings.columns(Prediction(ids, box(ids), "p1.nii.gz", **more))


def test_mass_is_volume_times_1_05():
    row = columns(HEART, ventricles(), spacing=(10.0, 2.0, 2.5))
    assert row["myocardial_mass_g"] == pytest.approx(4 * 12 * 50 / 1000 * 1.05)
    assert (row["cavity_open_border"], row["right_ventricle_beside"]) == (0, 1)


def test_without_a_spacing_there_is_no_mass():
    assert columns(HEART, ventricles())["myocardial_mass_g"] is None


def test_one_slice_has_no_mass_but_sides():
    ids = ventricles()[0]
    row = HEART.columns(Prediction(ids, bounding_box(ids > 0), "p1.png", spacing=(2.0, 2.5)))
    assert row == {"myocardial_mass_g": None, "cavity_open_border": None, "right_ventricle_beside": 1}


def test_an_empty_volume_has_numbers_only_where_they_mean_something():
    ids = np.zeros((3, 4, 4), np.uint8)
    assert columns(HEART, ids, spacing=(1, 1, 1)) == {
        "myocardial_mass_g": 0,
        "cavity_open_border": None,
        "right_ventricle_beside": None,
    }


def test_a_cavity_without_its_ring_and_a_right_ventricle_elsewhere_are_flagged():
    ids = ventricles()
    ids[1:3, 2:6, 2:6] = np.where(ids[1:3, 2:6, 2:6] == 2, 0, ids[1:3, 2:6, 2:6])
    ids[ids == 3] = 0
    ids[:, 9, 11] = 3
    row = columns(HEART, ids)
    judged = {name: row[flag.column] for name, flag in HEART.flags.items()}
    assert judged == {"cavity_open": 1, "right_ventricle_apart": 0}
    assert judged["cavity_open"] > HEART.limits["cavity_open"]
    assert judged["right_ventricle_apart"] < HEART.limits["right_ventricle_apart"]


def test_a_bundle_of_the_cavity_alone_adds_codes_and_function_only():
    alone = Heart(cavity=1)
    assert columns(alone, ventricles(), spacing=(1, 1, 1)) == {}
    assert alone.flags == {}
    assert "cavity_open" not in alone.limits
    assert alone.codes == {1: ("AnatomicalStructure", "LeftVentricle", None)}
    assert alone.facts({"file": "a", "left_ventricular_cavity_ml": 120.0}) == {"left ventricular cavity, ml": 120.0}


def test_the_report_says_volumes_and_mass():
    row = {"left_ventricular_cavity_ml": 120.0, "myocardium_ml": 100.0, "myocardial_mass_g": 105.0}
    assert HEART.facts(row) == {"left ventricular cavity, ml": 120.0, "myocardium, ml": 100.0, "myocardium, g": 105.0}


def test_codes_are_in_the_dictionary_of_snomed():
    codes = pytest.importorskip("pydicom.sr.codedict").codes.SCT
    meanings = {number: getattr(codes, kind).meaning for number, (_, kind, _) in HEART.codes.items()}
    assert meanings[1] == "Left ventricle"
    assert "yocardium" in meanings[2]
    assert meanings[3] == "Right ventricle"


def test_function_reads_the_column_of_the_cavity_whatever_it_is_called():
    rows = [{"file": f"p_frame{n}.nii.gz", "status": "ok", "blood_pool_ml": ml} for n, ml in ((1, 120.0), (2, 50.0))]
    table = HEART.study_table(rows, {**CLASSES, 1: "blood pool"})
    (study,) = table.rows
    assert (table.file, study["stroke_volume_ml"]) == ("function.csv", 70.0)
    assert set(table.shown) <= set(study)
    assert Heart(myocardium=2).study_table(rows, CLASSES) is None


def test_another_pattern_of_file_names_can_be_given():
    rows = [
        {"file": f"{n}_p.nii.gz", "status": "ok", "left_ventricular_cavity_ml": ml} for n, ml in ((1, 9.0), (2, 3.0))
    ]
    (study,) = Heart(cavity=1, frames=r"(?P<frame>\d+)_(?P<study>\w+)").study_table(rows, CLASSES).rows
    assert (study["study"], study["end_diastole"]) == ("p", "1")


@pytest.mark.parametrize("ids", [{}, {"cavity": 1, "myocardium": 1}])
def test_each_structure_has_an_id_of_its_own(ids):
    with pytest.raises(ValueError, match="Expected class ids of heart structures"):
        Heart(**ids)


def test_a_pattern_has_both_groups():
    with pytest.raises(ValueError, match="groups study and frame"):
        Heart(cavity=1, frames=r"(?P<study>.+)")


@pytest.mark.parametrize(
    ("heart", "names"),
    [
        (HEART, ["p1_frame01.nii.gz", "p1_frame12.nii.gz"]),
        (HEART, ["a/p1.nii.gz frame 3", "a/p1.nii.gz frame 11"]),
        (Heart(cavity=1, frames=r"(?P<frame>\w+)-(?P<study>\w+)"), ["ED-p1.nii.gz", "ES-p1.nii.gz"]),
    ],
)
def test_function_has_the_same_numbers_behind_pseudonyms(heart, names):
    column = "left_ventricular_cavity_ml"
    items = [{"case": name, "output": f"{name}.nii.gz"} for name in names]
    hidden = pseudonymise(items, "a long secret", keep=heart.keep, study_and_frame=heart.study_and_frame)
    known, unknown = (
        heart.study_table(
            [{"file": item["case"], "status": "ok", column: ml} for item, ml in zip(those, (120.0, 50.0), strict=True)],
            CLASSES,
        ).rows[0]
        for those in (items, hidden)
    )
    assert {**unknown, "study": known["study"]} == known
    assert known["stroke_volume_ml"] == 70
    assert not any("p1" in item["case"] + item["output"] for item in hidden)


def test_files_of_one_frame_have_pseudonyms_of_their_own_and_stay_one_study():
    items = [{"case": f"p1_frame01{end}", "output": "x.nii.gz"} for end in (".nii", ".nii.gz", "_long.nii.gz")]
    hidden = pseudonymise(items, "a long secret", study_and_frame=HEART.study_and_frame)
    assert len({item["output"] for item in hidden}) == 3
    assert len({HEART.study_and_frame(item["case"]) for item in hidden}) == 1
