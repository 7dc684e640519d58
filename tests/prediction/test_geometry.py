import math

import numpy as np
import pytest

from monai_sfda.prediction.geometry import (
    SIDES,
    cup_to_disc,
    isnt_order,
    measure_mask,
    rim_widths,
)

CLASSES = {1: "optic disc", 2: "optic cup"}


def rectangles():
    ids = np.zeros((20, 30), np.uint8)
    ids[2:12, 5:25] = 1  # disc: 10 rows, 20 columns
    ids[4:9, 10:15] = 2  # cup: 5 rows, 5 columns
    return ids


def circle(radius, centre=(128, 128), size=256):
    rows, columns = np.mgrid[:size, :size]
    return (rows - centre[0]) ** 2 + (columns - centre[1]) ** 2 <= radius**2


def circles(disc=80, cup=40, cup_centre=(128, 128), size=256):
    return circle(disc, size=size).astype(np.uint8) + circle(cup, cup_centre, size)


def test_ratios_are_extents_in_rows_and_columns():
    row = measure_mask(rectangles(), CLASSES)
    assert (row["height"], row["width"]) == (20, 30)
    assert row["vertical_cup_to_disc_ratio"] == 0.5
    assert row["horizontal_cup_to_disc_ratio"] == 0.25
    assert (row["optic_disc_pixels"], row["optic_cup_pixels"]) == (200, 25)
    assert row["rim_to_disc_area_ratio"] == 175 / 200


def test_no_disc_has_no_ratio_and_no_cup_has_ratio_zero():
    empty, disc = np.zeros((5, 5), bool), np.ones((5, 5), bool)
    assert cup_to_disc(empty, empty) == (None, None)
    assert cup_to_disc(disc, empty) == (0.0, 0.0)


def test_areas_in_square_millimetres_where_the_size_of_a_pixel_is_known():
    row = measure_mask(rectangles(), CLASSES, spacing=(0.1, 0.2))
    assert row["optic_disc_mm2"] == pytest.approx(200 * 0.02)
    assert "optic_disc_mm2" not in measure_mask(rectangles(), CLASSES)


def test_other_tasks_get_areas_and_pieces_only():
    ids = np.zeros((20, 30), np.uint8)
    ids[2:4, 2:4], ids[10:14, 10:13] = 1, 1
    assert measure_mask(ids, {1: "nucleus"}) == {
        "height": 20,
        "width": 30,
        "nucleus_pixels": 16,
        "nucleus_pieces": 2,
        "nucleus_largest_piece": 0.75,
    }


def test_the_rim_between_concentric_circles_is_as_wide_everywhere():
    row = measure_mask(circles(80, 40), CLASSES)
    for side in SIDES:  # each radius is that of a pixel's centre: off by half a pixel at most, so a rim by one
        assert row[f"rim_min_{side}_px"] == pytest.approx(40, abs=1)
        assert row[f"rim_mean_{side}_px"] == pytest.approx(40, abs=0.5)
    assert row["minimum_rim_to_disc_ratio"] == pytest.approx(0.25, abs=0.01)


def test_a_cup_that_lies_higher_leaves_a_narrow_rim_at_the_top():
    row = measure_mask(circles(80, 40, cup_centre=(108, 128)), CLASSES)
    assert row["rim_min_top_px"] == pytest.approx(20, abs=1)
    assert row["rim_mean_bottom_px"] > row["rim_mean_left_px"] > row["rim_mean_top_px"]
    assert row["rim_mean_left_px"] == pytest.approx(row["rim_mean_right_px"], abs=0.5)
    assert row["minimum_rim_to_disc_ratio"] == pytest.approx(20 / 160, abs=0.01)


def test_right_is_where_columns_grow():
    row = measure_mask(circles(80, 40, cup_centre=(128, 148)), CLASSES)
    assert row["rim_min_right_px"] == pytest.approx(20, abs=1)
    assert row["rim_mean_left_px"] > row["rim_mean_right_px"]


def test_without_a_cup_the_rim_is_the_disc_and_a_direction_is_an_angle():
    disc = circle(30, centre=(40, 50), size=100)
    rim, radius = rim_widths(disc, np.zeros_like(disc))
    assert np.array_equal(rim, radius)
    assert radius == pytest.approx(np.full(len(radius), 30), abs=0.8)


def test_numbers_do_not_depend_on_where_the_disc_lies():
    ids = circles(40, 20, size=256)
    moved = np.roll(ids, (30, -50), (0, 1))
    assert measure_mask(moved, CLASSES) == measure_mask(ids, CLASSES)


def test_ratios_do_not_depend_on_the_size_of_the_photograph():
    small = measure_mask(circles(80, 40, cup_centre=(118, 128)), CLASSES)
    large = measure_mask(np.kron(circles(80, 40, cup_centre=(118, 128)), np.ones((4, 4), np.uint8)), CLASSES)
    for column in ("vertical_cup_to_disc_ratio", "rim_to_disc_area_ratio", "minimum_rim_to_disc_ratio"):
        assert large[column] == pytest.approx(small[column], abs=0.01)


def test_nothing_found_gives_a_row_of_the_same_columns():
    empty, full = measure_mask(np.zeros((64, 64), np.uint8), CLASSES), measure_mask(circles(), CLASSES)
    assert list(empty) == list(full)
    assert empty["optic_disc_pixels"] == 0
    assert empty["optic_disc_largest_piece"] is None
    assert empty["rim_min_top_px"] is None
    assert empty["disc_at_border"] is False


def test_a_disc_at_the_border_is_told():
    assert measure_mask(circles(80)[60:], CLASSES)["disc_at_border"] is True
    assert measure_mask(circles(80)[40:], CLASSES)["disc_at_border"] is False


def test_a_disc_at_the_edge_of_what_was_seen_is_at_the_border():
    rows, columns = (np.flatnonzero(circles(80).any(axis)) for axis in (1, 0))
    away = 1 + int(0.015 * 2 * 80)
    seen = [int(columns[0]) - away, int(rows[0]) - away, int(columns[-1]) + 1 + away, int(rows[-1]) + 1 + away]
    assert measure_mask(circles(80), CLASSES, seen=seen)["disc_at_border"] is False
    for side, step in enumerate((1, 1, -1, -1)):
        closer = [*seen[:side], seen[side] + step, *seen[side + 1 :]]
        assert measure_mask(circles(80), CLASSES, seen=closer)["disc_at_border"] is True


def test_numbers_are_plain():
    for value in measure_mask(circles(), CLASSES).values():
        assert type(value) in (int, float, bool)
        assert math.isfinite(value)


@pytest.mark.parametrize(
    ("nasal", "expected"), [("right", True), ("left", False), (None, None)], ids=["right eye", "left eye", "unknown"]
)
def test_isnt_depends_on_the_eye(nasal, expected):
    assert isnt_order({"bottom": 9.0, "top": 8.0, "right": 7.0, "left": 6.0}, nasal) is expected


def test_isnt_allows_equal_widths_and_needs_all_of_them():
    assert isnt_order(dict.fromkeys(SIDES, 5.0), "left") is True
    assert isnt_order(dict.fromkeys(SIDES, None), "left") is None


def test_a_speck_far_from_the_disc_moves_no_ratio():
    ids = circles(80, 40)
    row = measure_mask(ids, CLASSES)
    ids[3, 5], ids[3, 6] = 1, 2
    specked = measure_mask(ids, CLASSES)
    assert specked["optic_disc_pieces"] == 2
    assert specked["optic_disc_pixels"] == row["optic_disc_pixels"] + 2
    moved = {name for name in row if row[name] != specked[name]}
    assert not any("ratio" in name or "rim" in name for name in moved)


def test_a_speck_that_the_count_of_pieces_misses_moves_no_ratio_either():
    ids = np.zeros((1200, 1200), np.uint8)
    ids[400:800, 400:800], ids[500:700, 500:700] = 1, 2
    row = measure_mask(ids, CLASSES)
    ids[100, 101] = ids[101, 100] = 1  # not at the corner of their box, from which every other pixel is counted
    specked = measure_mask(ids, CLASSES)
    assert specked["optic_disc_pieces"] == 1
    assert specked["vertical_cup_to_disc_ratio"] == row["vertical_cup_to_disc_ratio"] == 0.5
    assert specked["rim_mean_top_px"] == row["rim_mean_top_px"]


def test_a_cup_in_pieces_counts_from_its_first_to_its_last_pixel():
    ids = np.zeros((80, 80), np.uint8)
    ids[10:70, 10:70] = 1
    ids[30:50, 30:50] = ids[55:58, 30:50] = 2
    row = measure_mask(ids, CLASSES)
    assert row["vertical_cup_to_disc_ratio"] == 28 / 60
    assert row["optic_cup_pieces"] == 2
