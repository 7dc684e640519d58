import math

import numpy as np
import pytest

from monai_sfda.organs.fundus.ratios import SIDES, cup_to_disc, ratio_columns, rim_widths


def measured(ids):
    return ratio_columns(ids > 0, ids == 2)


def circle(radius, centre=(128, 128), size=256):
    rows, columns = np.mgrid[:size, :size]
    return (rows - centre[0]) ** 2 + (columns - centre[1]) ** 2 <= radius**2


def circles(disc=80, cup=40, cup_centre=(128, 128), size=256):
    return circle(disc, size=size).astype(np.uint8) + circle(cup, cup_centre, size)


def test_ratios_are_extents_in_rows_and_columns():
    ids = np.zeros((20, 30), np.uint8)
    ids[2:12, 5:25] = 1  # disc: 10 rows, 20 columns
    ids[4:9, 10:15] = 2  # cup: 5 rows, 5 columns
    row = measured(ids)
    assert row["vertical_cup_to_disc_ratio"] == 0.5
    assert row["horizontal_cup_to_disc_ratio"] == 0.25
    assert row["rim_to_disc_area_ratio"] == 175 / 200


def test_no_disc_has_no_ratio_and_no_cup_has_ratio_zero():
    empty, disc = np.zeros((5, 5), bool), np.ones((5, 5), bool)
    assert cup_to_disc(empty, empty) == (None, None)
    assert cup_to_disc(disc, empty) == (0.0, 0.0)


def test_the_rim_between_concentric_circles_is_as_wide_everywhere():
    row = measured(circles(80, 40))
    for side in SIDES:  # each radius is that of a pixel's centre: off by half a pixel at most, so a rim by one
        assert row[f"rim_min_{side}_px"] == pytest.approx(40, abs=1)
        assert row[f"rim_mean_{side}_px"] == pytest.approx(40, abs=0.5)
    assert row["minimum_rim_to_disc_ratio"] == pytest.approx(0.25, abs=0.01)


def test_a_cup_that_lies_higher_leaves_a_narrow_rim_at_the_top():
    row = measured(circles(80, 40, cup_centre=(108, 128)))
    assert row["rim_min_top_px"] == pytest.approx(20, abs=1)
    assert row["rim_mean_bottom_px"] > row["rim_mean_left_px"] > row["rim_mean_top_px"]
    assert row["rim_mean_left_px"] == pytest.approx(row["rim_mean_right_px"], abs=0.5)
    assert row["minimum_rim_to_disc_ratio"] == pytest.approx(20 / 160, abs=0.01)


def test_right_is_where_columns_grow():
    row = measured(circles(80, 40, cup_centre=(128, 148)))
    assert row["rim_min_right_px"] == pytest.approx(20, abs=1)
    assert row["rim_mean_left_px"] > row["rim_mean_right_px"]


def test_without_a_cup_the_rim_is_the_disc_and_a_direction_is_an_angle():
    disc = circle(30, centre=(40, 50), size=100)
    rim, radius = rim_widths(disc, np.zeros_like(disc))
    assert np.array_equal(rim, radius)
    assert radius == pytest.approx(np.full(len(radius), 30), abs=0.8)


def test_ratios_do_not_depend_on_the_size_of_the_photograph():
    small = measured(circles(80, 40, cup_centre=(118, 128)))
    large = measured(np.kron(circles(80, 40, cup_centre=(118, 128)), np.ones((4, 4), np.uint8)))
    for column in ("vertical_cup_to_disc_ratio", "rim_to_disc_area_ratio", "minimum_rim_to_disc_ratio"):
        assert large[column] == pytest.approx(small[column], abs=0.01)


def test_nothing_found_gives_the_same_columns_without_numbers():
    empty = measured(np.zeros((64, 64), np.uint8))
    assert list(empty) == list(measured(circles()))
    assert set(empty.values()) == {None}


def test_numbers_are_plain():
    for value in measured(circles()).values():
        assert type(value) is float
        assert math.isfinite(value)
