"""The estimate of a gain, worked by hand."""

import math

import numpy as np
import pytest

from monai_sfda.choice import estimate_gain

GUESS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
OUTLINED = [0.1, 0.3, 0.5]


def test_a_guess_that_follows_the_gains_replaces_outlines():
    """cov = .04, var = .04, lam = 1, mean_N(f) = .35, mean_n(y - f) = .1."""
    gain = estimate_gain([0.2, 0.4, 0.6], proxy=OUTLINED, proxy_all=GUESS, total=6)
    assert gain == pytest.approx((0.45, 0, 3))


def test_a_guess_that_does_not_follow_them_is_left_out():
    assert estimate_gain([0.2, 0.2, 0.2], proxy=OUTLINED, proxy_all=GUESS, total=6) == pytest.approx((0.2, 0, 3))
    falling = estimate_gain([0.6, 0.4, 0.2], proxy=OUTLINED, proxy_all=GUESS, total=6)
    assert falling == pytest.approx(estimate_gain([0.6, 0.4, 0.2], total=6))


def test_the_error_of_a_plain_mean():
    """var = .04, n = 3, N = 6: sqrt(.5 * .04 / 3)."""
    assert estimate_gain([0.2, 0.4, 0.6], total=6) == pytest.approx((0.4, math.sqrt(0.02 / 3), 3))


def test_weights_enter_mean_and_error():
    """v y = (.1, .4, .9): mean .4667, var .1633."""
    gain = estimate_gain([0.2, 0.4, 0.6], weights=[0.5, 1, 1.5], total=6)
    assert gain == pytest.approx((1.4 / 3, math.sqrt(0.5 * 0.49 / 3 / 3), 3))


def test_fewer_than_three_outlines_have_no_error():
    assert math.isnan(estimate_gain([0.1, 0.3], total=6).error)
    none = estimate_gain([], total=6)
    assert math.isnan(none.mean)
    assert none.count == 0


def test_with_all_images_outlined_nothing_is_uncertain():
    y = np.random.default_rng(0).normal(size=6)
    gain = estimate_gain(y, proxy=GUESS, proxy_all=GUESS, total=6)
    assert gain == pytest.approx((y.mean(), 0, 6))


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="at most 2"):
        estimate_gain([0.1, 0.2, 0.3], total=2)
    with pytest.raises(ValueError, match="give both or none"):
        estimate_gain([0.1, 0.2, 0.3], proxy=OUTLINED, total=6)
    with pytest.raises(ValueError, match="3 finite numbers for weights"):
        estimate_gain([0.1, 0.2, 0.3], weights=[1, 1], total=6)
    with pytest.raises(ValueError, match="finite numbers for gains"):
        estimate_gain([0.1, math.nan], total=6)
