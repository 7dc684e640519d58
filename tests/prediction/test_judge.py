from types import SimpleNamespace

import pytest

from monai_sfda.findings import Flag
from monai_sfda.prediction.judge import FLAGS, VOLUME_FLAGS, Judge
from monai_sfda.prediction.no_findings import NO_FINDINGS

CLASSES = {1: "big bone", 2: "marrow"}
BONE = SimpleNamespace(
    flags={
        "odd_ratio": Flag("marrow_ratio", "outside", "ratio outside the limits"),
        "broken": Flag("broken", "above", "the bone is broken"),
    },
    limits={"broken": 0, "missing": 1, "odd_ratio": (0.2, 0.8), "unsure": {1: 0.9, 2: 0.75}, "dark": 0.1},
)


def good():
    return {
        "big_bone_pixels": 90,
        "marrow_pixels": 9,
        "big_bone_confidence": 0.97,
        "marrow_ratio": 0.5,
        "broken": False,
    }


def flags(**changes):
    return list(Judge(CLASSES, BONE)(good() | changes))


def test_a_good_case_has_no_flag():
    assert flags() == []


@pytest.mark.parametrize(
    ("change", "flag"),
    [
        ({"big_bone_pixels": 0}, "missing_big_bone"),
        ({"broken": True}, "broken"),
        ({"marrow_ratio": 0.1}, "odd_ratio"),
        ({"marrow_ratio": 0.9}, "odd_ratio"),
        ({"big_bone_confidence": 0.8}, "unsure_big_bone"),
        ({"brightness": 0.02}, "dark"),
    ],
)
def test_flags_of_the_organ_and_of_every_task_are_judged_alike(change, flag):
    assert flags(**change) == [flag]
    assert flag in Judge(CLASSES, BONE).meanings


def test_each_structure_has_the_limit_of_its_class():
    assert flags(marrow_confidence=0.8) == []
    assert flags(marrow_confidence=0.7) == ["unsure_marrow"]


def test_what_was_not_measured_is_not_judged():
    assert Judge(CLASSES, BONE)(dict.fromkeys(good())) == {}
    assert Judge(CLASSES, BONE)({}) == {}


def test_the_most_alarming_comes_first_and_states_its_limit():
    row = good() | {"big_bone_confidence": 0.3, "big_bone_pixels": 0, "broken": True, "marrow_ratio": 1}
    assert Judge(CLASSES, BONE)(row) == {
        "broken": "1, limit 0",
        "missing_big_bone": "0, limit 1",
        "odd_ratio": "1, limit 0.2 to 0.8",
        "unsure_big_bone": "0.3, limit 0.9",
    }


def test_a_number_just_beyond_its_limit_is_not_rounded_to_it():
    judge = Judge(CLASSES, BONE, {"blurred": 0.5, "odd_ratio": [0.2, 0.4]})
    assert judge(good() | {"sharpness": 0.49996})["blurred"] == "0.49996, limit 0.5"
    assert judge(good() | {"marrow_ratio": 0.40001})["odd_ratio"] == "0.40001, limit 0.2 to 0.4"


def test_thresholds_replace_limits_and_none_turns_a_flag_off():
    judge = Judge(CLASSES, BONE, {"dark": None, "unsure": {"marrow": 0.95}, "odd_ratio": [0.2, 0.4], "blurred": 0.5})
    row = good() | {"brightness": 0.01, "big_bone_confidence": 0.1, "marrow_confidence": 0.9, "sharpness": 0.4}
    assert judge(row) == {
        "odd_ratio": "0.5, limit 0.2 to 0.4",
        "unsure_marrow": "0.9, limit 0.95",
        "blurred": "0.4, limit 0.5",
    }


def test_an_unknown_flag_is_named():
    with pytest.raises(ValueError, match=r"Expected thresholds of broken, missing, .* found blury; correct the name"):
        Judge(CLASSES, BONE, {"blury": 3})
    with pytest.raises(ValueError, match="found broken"):
        Judge(CLASSES, NO_FINDINGS, {"broken": 0})


def test_without_findings_a_picture_may_be_dark_and_a_structure_in_pieces():
    judge = Judge({1: "nucleus"})
    assert judge({"nucleus_pixels": 50, "nucleus_largest_piece": 0.1, "brightness": 0.01}) == {}
    assert list(judge({"nucleus_pixels": 0})) == ["missing_nucleus"]
    assert [name for name in NO_FINDINGS.limits if name in FLAGS] == list(FLAGS)
    assert [name for name in NO_FINDINGS.limits if name in VOLUME_FLAGS] == list(VOLUME_FLAGS)
    assert set(NO_FINDINGS.limits) == {*FLAGS, *VOLUME_FLAGS}


@pytest.mark.parametrize(
    "thresholds",
    [
        {"unsure": "abc"},
        {"unsure": {"lens": 0.5}},
        {"odd_ratio": 0.5},
        {"blurred": {"marrow": 1}},
        {"dark": True},
    ],
)
def test_limits_of_another_kind_are_refused(thresholds):
    with pytest.raises(ValueError, match=r"Expected .* for the threshold"):
        Judge(CLASSES, BONE, thresholds)


@pytest.mark.parametrize("thresholds", [{"unsure": 0.5}, {"unsure": {"marrow": 0.5}}, {"odd_ratio": [0, 1]}])
def test_limits_of_the_right_kind_are_taken(thresholds):
    assert Judge(CLASSES, BONE, thresholds | {"dark": None}).limits["dark"] is None
