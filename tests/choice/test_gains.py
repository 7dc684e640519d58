"""Gains of images, empty masks included."""

import math

import pytest

from monai_sfda.choice import case_gains


def test_gains_are_differences():
    assert case_gains([0.9, 0.5], [0.7, 0.6]).values == pytest.approx([0.2, -0.1])


def test_an_empty_mask_is_right_where_nothing_was_outlined():
    """Both empty, the source alone empty, the candidate alone empty, neither empty; then an ordinary image.

    The candidate's mask is empty, as the outline is, on two of them.
    """
    gains = case_gains([math.nan, 0.0, math.nan, 0.0, 0.0], [math.nan, math.nan, 0.0, 0.0, 0.5])
    assert gains.values == [0, -1, 1, 0, -0.5]
    assert gains.undefined == 2


def test_other_images_are_refused():
    with pytest.raises(ValueError, match="found 1 and 2"):
        case_gains([0.5], [0.5, 0.6])
