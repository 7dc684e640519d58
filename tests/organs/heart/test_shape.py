"""How cavity, myocardium and right ventricle lie, in slices drawn by hand."""

import numpy as np
import pytest

from monai_sfda.organs.heart.shape import beside, open_border


def drawn(*slices):
    """Slices of digits, rows separated by blanks."""
    return np.array([[[int(digit) for digit in line] for line in one.split()] for one in slices])


RING = "00000 02220 02120 02220 00000"
OPEN = "00000 02200 02100 02220 00000"  # one of the four sides of the cavity is open
NONE = "00000 00000 00000 00000 00000"


def share(*slices):
    ids = drawn(*slices)
    return open_border(ids == 1, ids == 2)


def test_a_cavity_in_its_ring_is_closed_and_one_side_of_four_is_a_quarter():
    assert share(RING, RING, RING) == 0
    assert share(RING, OPEN, RING) == 0.25
    assert share(RING, OPEN, RING, RING) == 0.125


def test_the_first_and_the_last_slice_of_the_cavity_may_be_open():
    assert share(NONE, OPEN, RING, OPEN, NONE) == 0


def test_a_cavity_at_the_border_of_its_slice_is_open_there():
    assert share(RING, "00222 00211 00222 00000 00000", RING) == pytest.approx(1 / 6)


@pytest.mark.parametrize("slices", [(RING, RING), (NONE, NONE, NONE), (RING, NONE, RING)])
def test_without_a_slice_between_there_is_no_number(slices):
    assert share(*slices) is None


def apart(gap):
    """A wall in column 0 and a right ventricle with so many columns between."""
    row = "2" + "0" * gap + "3" + "0" * (5 - gap)
    return f"{row} {row}"


@pytest.mark.parametrize(("gap", "expected"), [(0, 1.0), (2, 1.0), (3, 0.0)])
def test_two_voxels_between_are_beside_and_three_are_not(gap, expected):
    ids = drawn(apart(gap))
    assert beside(ids == 3, ids == 2) == expected


def test_slices_with_both_count():
    ids = drawn(apart(0), apart(5), "2000000 2000000", "0000003 0000003", apart(1), apart(4))
    assert beside(ids == 3, ids == 2) == 0.5


def test_another_slice_is_not_beside():
    ids = drawn("2200000 2200000", "3300000 3300000")
    assert beside(ids == 3, ids == 2) == 0.0


def test_nothing_is_beside_nothing():
    ids = drawn(apart(0))
    assert beside(ids == 3, ids == 9) is None
    assert beside(ids == 9, ids == 2) is None
