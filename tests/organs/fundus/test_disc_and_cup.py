import numpy as np
import pytest

from monai_sfda.findings import Prediction
from monai_sfda.organs.fundus import DiscAndCup
from monai_sfda.pieces import bounding_box
from monai_sfda.prediction.judge import FLAGS, Judge

CLASSES = {1: "optic disc", 2: "optic cup"}


def circles(disc=80, cup=40, size=256):
    rows, columns = np.mgrid[:size, :size]
    distance = np.hypot(rows - 128, columns - 128)
    return (distance <= disc).astype(np.uint8) + (distance <= cup)


def columns(ids, findings=None, case="a.png", **facts):
    return (findings or DiscAndCup(1, 2)).columns(Prediction(ids, bounding_box(ids != 0), case, **facts))


def test_numbers_do_not_depend_on_where_the_disc_lies():
    ids = circles(40, 20)
    assert columns(np.roll(ids, (30, -50), (0, 1))) == columns(ids)


def test_class_ids_may_be_any_and_other_structures_change_nothing():
    ids = circles(40, 20)
    expected = columns(ids)
    others = np.choose(ids, np.array([0, 7, 3], np.uint8))
    others[0] = 5  # a structure along the border
    assert columns(others, DiscAndCup(disc=7, cup=3)) == expected


def test_one_id_for_both_is_refused():
    with pytest.raises(ValueError, match=r"Expected two class ids for disc and cup, found 2 for both; give"):
        DiscAndCup(disc=2, cup=2)


def test_nothing_found_gives_the_same_columns():
    empty = columns(np.zeros((64, 64), np.uint8))
    assert list(empty) == list(columns(circles()))
    assert empty["rim_min_top_px"] is None
    assert empty["disc_at_border"] is False


def test_a_disc_at_the_border_is_told():
    assert columns(circles(80)[60:])["disc_at_border"] is True
    assert columns(circles(80)[40:])["disc_at_border"] is False


def test_a_disc_at_the_edge_of_what_was_seen_is_at_the_border():
    hit = [np.flatnonzero(circles(80).any(axis)) for axis in (0, 1)]
    away = 1 + int(0.015 * 2 * 80)
    seen = [int(side[0]) - away for side in hit] + [int(side[-1]) + 1 + away for side in hit]
    assert columns(circles(80), seen=seen)["disc_at_border"] is False
    for side, step in enumerate((1, 1, -1, -1)):
        closer = [*seen[:side], seen[side] + step, *seen[side + 1 :]]
        assert columns(circles(80), seen=closer)["disc_at_border"] is True


def test_a_speck_far_from_the_disc_moves_no_ratio():
    ids = circles(80, 40)
    row = columns(ids)
    ids[9, 8], ids[9, 9] = 1, 2
    assert columns(ids) == row


def test_a_speck_moves_no_ratio_in_a_large_photograph_either():
    ids = np.zeros((1200, 1200), np.uint8)
    ids[400:800, 400:800], ids[500:700, 500:700] = 1, 2
    row = columns(ids)
    ids[100, 101] = ids[101, 100] = 1
    assert columns(ids) == row
    assert row["vertical_cup_to_disc_ratio"] == 0.5


def test_a_cup_in_pieces_counts_from_its_first_to_its_last_pixel():
    ids = np.zeros((80, 80), np.uint8)
    ids[10:70, 10:70] = 1
    ids[30:50, 30:50] = ids[55:58, 30:50] = 2
    assert columns(ids)["vertical_cup_to_disc_ratio"] == 28 / 60


def test_cup_outside_the_disc_is_seen_above_the_cutoffs():
    disc, cup = np.zeros((48, 48), bool), np.zeros((48, 48), bool)
    disc[:10, :10], cup[5:15, :10] = True, True  # 100 pixels of cup, half of them below the disc
    assert columns(circles(), above={1: disc, 2: cup})["cup_outside_disc"] == 0.5
    assert columns(circles(), above={1: disc, 2: cup & False})["cup_outside_disc"] == 0
    assert "cup_outside_disc" not in columns(circles())


def test_the_eye_is_that_of_the_name_that_a_pseudonym_hides():
    findings = DiscAndCup(1, 2)
    assert [findings.keep(name) for name in ("12_OD.png", "left/a.png", "a.png")] == ["right", "left", ""]
    assert columns(circles(), case="left/a.png")["laterality"] == "left"
    row = columns(circles(), case="0f2a_OS", kept="right")
    assert (row["laterality"], row["laterality_from"]) == ("right", "name")
    assert columns(circles(), case="0f2a_OS", kept="")["laterality"] is None


def test_a_search_has_columns_only_where_there_was_one():
    assert "located" not in columns(circles())
    row = columns(circles(), located={"found": True, "confidence": 0.8})
    assert (row["located"], row["located_confidence"]) == (True, 0.8)
    assert "cut" not in row


@pytest.mark.parametrize(
    ("cropped", "photograph", "agreed", "expected"),
    [
        (True, True, True, (True, False, False)),
        (True, False, True, (True, True, False)),
        (True, True, False, (True, False, True)),
        (False, False, False, (False, False, True)),
        (False, False, None, (False, False, False)),
        (None, None, None, (None, None, None)),
    ],
)
def test_a_picture_that_was_cut_says_so(cropped, photograph, agreed, expected):
    located = {"found": True, "cropped": cropped, "photograph": photograph, "agreed": agreed}
    row = columns(circles(), located=located)
    assert (row["cut"], row["cut_again"], row["looks_disagree"]) == expected


def test_a_caption_says_the_ratio_and_that_the_picture_was_cut():
    findings = DiscAndCup(1, 2)
    assert findings.facts({"vertical_cup_to_disc_ratio": 0.4}) == {"vertical cup-to-disc": 0.4}
    assert findings.facts({"cut": True}) == {"vertical cup-to-disc": None, "cut out": "the square around the disc"}


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
        "eye_conflict": False,
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


@pytest.mark.parametrize(
    ("change", "flags"),
    [
        ({}, []),
        ({"optic_disc_pixels": 0}, ["missing_optic_disc"]),
        ({"optic_cup_pixels": 0}, ["missing_optic_cup"]),
        ({"located": False}, ["not_located"]),
        ({"looks_disagree": True}, ["looks_disagree"]),
        ({"cut_again": True}, ["cut_again"]),
        ({"eye_conflict": True}, ["eye_conflict"]),
        ({"disc_at_border": True}, ["cut_off"]),
        ({"optic_cup_largest_piece": 0.7}, ["in_pieces_optic_cup"]),
        ({"cup_outside_disc": 0.2}, ["cup_outside_disc"]),
        ({"vertical_cup_to_disc_ratio": 0.96}, ["unusual_ratio"]),
        ({"vertical_cup_to_disc_ratio": 0.02}, ["unusual_ratio"]),
        ({"optic_disc_confidence": 0.8}, ["unsure_optic_disc"]),
        ({"optic_cup_confidence": 0.8}, []),
        ({"sharpness": 0.001}, ["blurred"]),
        ({"brightness": 0.02}, ["dark"]),
        ({"clipped": 0.4}, ["overexposed"]),
        ({"contrast": 0.001}, ["low_contrast"]),
        ({"field": 0.3}, ["narrow_field"]),
    ],
)
def test_each_flag_has_its_number(change, flags):
    assert list(Judge(CLASSES, DiscAndCup(1, 2))(good() | change)) == flags


def test_every_flag_has_a_limit():
    findings = DiscAndCup(1, 2)
    assert set(findings.limits) == {*FLAGS, *findings.flags}
