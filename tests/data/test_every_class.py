"""A class that no label shows is named."""

import pytest
import torch

from monai_sfda.data import expect_every_class

CHANNELS = {"background": 0, "disc": 1, "cup": 2}


def item(*channels):
    return {"label": torch.tensor([[channel in channels] * 4 for channel in range(3)])}


def test_each_class_may_be_in_another_image():
    expect_every_class([item(0), item(0, 1), item(2)], CHANNELS)


def test_no_more_is_read_than_is_needed():
    expect_every_class(iter([item(0, 1, 2), None]), CHANNELS)


def test_what_no_image_shows_is_named():
    with pytest.raises(ValueError, match="found none of disc, cup; add images that show it, or check that the masks"):
        expect_every_class([item(0), item(0)], CHANNELS)
