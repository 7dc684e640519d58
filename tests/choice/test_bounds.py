"""Bounds by Student's t, from tables."""

import math

import pytest

from monai_sfda.choice import Gain, interval, lower_bound, upper_bound

TEN = Gain(0.036, 0.01, 10)


def test_quantiles_are_those_of_the_tables():
    """9 degrees of freedom: 2.262 at 97.5 %, 1.833 at 95 %."""
    assert interval(TEN) == pytest.approx((0.036 - 0.02262, 0.036 + 0.02262), abs=1e-5)
    assert lower_bound(TEN, 0.05) == pytest.approx(0.036 - 0.01833, abs=1e-5)
    assert upper_bound(TEN, 0.05) == pytest.approx(0.036 + 0.01833, abs=1e-5)


def test_fewer_than_three_outlines_have_no_interval():
    assert all(map(math.isnan, interval(Gain(0.1, math.nan, 2))))
    assert all(map(math.isnan, interval(Gain(math.nan, math.nan, 0))))


def test_an_error_of_nothing_is_refused():
    with pytest.raises(ValueError, match="found 0"):
        lower_bound(TEN, 0)
