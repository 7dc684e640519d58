"""The estimate of a gain, worked by hand."""

import math

import numpy as np
import pytest

from monai_sfda.choice import estimate_gain


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
    gain = estimate_gain(y, total=6)
    assert gain == pytest.approx((y.mean(), 0, 6))


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="at most 2"):
        estimate_gain([0.1, 0.2, 0.3], total=2)
    with pytest.raises(ValueError, match="3 finite numbers for weights"):
        estimate_gain([0.1, 0.2, 0.3], weights=[1, 1], total=6)
    with pytest.raises(ValueError, match="finite numbers for gains"):
        estimate_gain([0.1, math.nan], total=6)
