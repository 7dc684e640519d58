import pytest

from monai_sfda.prediction.judge_case import FLAGS, default_limits, flag_names, judge_case

CLASSES = {1: "optic disc", 2: "optic cup"}
STRUCTURES = list(CLASSES.values())


def good():
    return {
        "optic_disc_pixels": 9000,
        "optic_cup_pixels": 2000,
        "optic_disc_largest_piece": 1.0,
        "optic_cup_largest_piece": 1.0,
        "optic_disc_confidence": 0.97,
        "optic_cup_confidence": 0.9,
        "cup_outside_disc": 0.0,
        "disc_at_border": False,
        "vertical_cup_to_disc_ratio": 0.5,
        "brightness": 0.35,
        "contrast": 0.08,
        "clipped": 0.0,
        "field": 1.0,
        "sharpness": 0.3,
        "located": True,
        "looks_disagree": False,
        "cut_again": False,
    }


def flags(**changes):
    return list(judge_case(good() | changes, STRUCTURES, default_limits(CLASSES)))


def test_a_good_case_has_no_flag():
    assert flags() == []


@pytest.mark.parametrize(
    ("change", "flag"),
    [
        ({"optic_disc_pixels": 0}, "missing_optic_disc"),
        ({"optic_cup_pixels": 0}, "missing_optic_cup"),
        ({"located": False}, "not_located"),
        ({"looks_disagree": True}, "looks_disagree"),
        ({"cut_again": True}, "cut_again"),
        ({"disc_at_border": True}, "cut_off"),
        ({"optic_cup_largest_piece": 0.7}, "in_pieces_optic_cup"),
        ({"cup_outside_disc": 0.2}, "cup_outside_disc"),
        ({"vertical_cup_to_disc_ratio": 0.96}, "unusual_ratio"),
        ({"vertical_cup_to_disc_ratio": 0.02}, "unusual_ratio"),
        ({"optic_disc_confidence": 0.3}, "unsure_optic_disc"),
        ({"sharpness": 0.001}, "blurred"),
        ({"brightness": 0.02}, "dark"),
        ({"clipped": 0.4}, "overexposed"),
        ({"contrast": 0.001}, "low_contrast"),
        ({"field": 0.3}, "narrow_field"),
    ],
)
def test_each_flag_has_its_number(change, flag):
    assert flags(**change) == [flag]
    assert flag in flag_names(STRUCTURES)


def test_every_flag_has_a_default_limit():
    assert set(default_limits(CLASSES)) == set(FLAGS)


def test_what_was_not_measured_is_not_judged():
    assert judge_case(dict.fromkeys(good()), STRUCTURES, default_limits(CLASSES)) == {}
    assert judge_case({}, STRUCTURES, default_limits(CLASSES)) == {}


def test_the_most_alarming_comes_first_and_states_its_limit():
    row = good() | {"optic_disc_confidence": 0.3, "optic_disc_pixels": 0}
    raised = judge_case(row, STRUCTURES, default_limits(CLASSES))
    assert list(raised) == ["missing_optic_disc", "unsure_optic_disc"]
    assert raised["missing_optic_disc"] == "0, limit 1"


def test_thresholds_replace_limits_and_none_turns_a_flag_off():
    limits = default_limits(CLASSES, {"dark": None, "unsure": {"optic cup": 0.95}, "unusual_ratio": [0.2, 0.4]})
    row = good() | {"brightness": 0.01, "optic_disc_confidence": 0.1}
    assert judge_case(row, STRUCTURES, limits) == {
        "unusual_ratio": "0.5, limit 0.2 to 0.4",
        "unsure_optic_cup": "0.9, limit 0.95",
    }


def test_an_unknown_flag_is_named():
    with pytest.raises(ValueError, match=r"Expected thresholds of missing, .* found blury; correct the name"):
        default_limits(CLASSES, {"blury": 3})


def test_other_tasks_have_no_flags_of_an_eye_and_may_be_dark():
    limits = default_limits({1: "nucleus"})
    assert (
        judge_case({"nucleus_pixels": 50, "nucleus_largest_piece": 0.1, "brightness": 0.01}, ["nucleus"], limits) == {}
    )
    assert list(judge_case({"nucleus_pixels": 0}, ["nucleus"], limits)) == ["missing_nucleus"]


@pytest.mark.parametrize(
    "thresholds",
    [
        {"unsure": "abc"},
        {"unsure": {"lens": 0.5}},
        {"unusual_ratio": 0.5},
        {"blurred": {"optic disc": 1}},
        {"dark": True},
    ],
)
def test_limits_of_another_kind_are_refused(thresholds):
    with pytest.raises(ValueError, match=r"Expected .* for the threshold"):
        default_limits(CLASSES, thresholds)


@pytest.mark.parametrize("thresholds", [{"unsure": 0.5}, {"unsure": {"optic cup": 0.5}}, {"unusual_ratio": [0, 1]}])
def test_limits_of_the_right_kind_are_taken(thresholds):
    assert default_limits(CLASSES, thresholds | {"dark": None})["dark"] is None
