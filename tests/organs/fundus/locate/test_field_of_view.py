import numpy as np
import pytest
import torch

from monai_sfda.organs.fundus.locate.field_of_view import field_picture, find_field, shows_round_field, standardise


def photograph(height=200, width=300, radius=90.0, level=150.0):
    """A lit circle in the middle of a dark frame, with a dark spot in it."""
    y, x = np.mgrid[:height, :width] + 0.5
    distance = np.hypot(x - width / 2, y - height / 2)
    lit = np.where(distance < radius, level, 4.0)
    lit[np.hypot(x - width / 2 - 30, y - height / 2) < 10] = 5.0
    return torch.as_tensor(np.stack([lit, 0.5 * lit, 0.2 * lit]), dtype=torch.float32)


def test_the_field_is_the_box_of_the_lit_circle_and_its_holes_belong_to_it():
    field = find_field(photograph())
    assert (field.left, field.top, field.right, field.bottom) == (60, 10, 240, 190)


def test_a_large_photograph_has_the_same_field_up_to_the_step_of_the_thumbnail():
    field = find_field(photograph(1200, 1800, 540.0))
    assert (field.left, field.top, field.right, field.bottom) == pytest.approx((360, 60, 1440, 1140), abs=2 * 7)


def test_a_dark_photograph_keeps_its_field():
    field = find_field(photograph(level=28.0))
    assert (field.left, field.right) == (60, 240)


def test_a_date_in_the_corner_is_not_the_field():
    image = photograph()
    image[:, 185:195, 5:40] = 255
    assert find_field(image).left == 60


def test_a_crop_fills_its_frame():
    image = torch.rand(3, 64, 80, generator=torch.Generator().manual_seed(0)) * 100 + 60
    field = find_field(image)
    assert (field.left, field.top, field.right, field.bottom) == (0, 0, 80, 64)


@pytest.mark.parametrize("scale", [1, 6])
def test_a_whole_photograph_shows_a_round_field_also_where_it_is_cut_above_and_below(scale):
    image = photograph(200 * scale, 300 * scale, 90.0 * scale)
    assert shows_round_field(image, find_field(image))
    cut = image[:, 30 * scale : 170 * scale]
    assert shows_round_field(cut, find_field(cut))


def test_a_crop_shows_no_round_field():
    image = photograph()
    inner, edge = image[:, 60:140, 100:180], image[:, 10:110, 60:160]  # within the circle; its upper left quarter
    framed = torch.nn.functional.pad(inner, (40, 40, 40, 40))
    for crop in (inner, edge, framed):
        assert not shows_round_field(crop, find_field(crop))


@pytest.mark.parametrize("level", [0.0, 4.0])
def test_a_black_picture_has_no_field(level):
    assert find_field(torch.full((3, 50, 50), level)) is None


def test_specks_are_no_field():
    image = torch.zeros(3, 100, 100)
    image[:, ::9, ::9] = 255
    assert find_field(image) is None


def test_positions_in_the_small_picture_lead_back_to_the_photograph():
    image = torch.full((3, 240, 300), 50.0)
    image[:, 100:110, 40:50] = 250  # about (45, 105)
    small, scale, (left, top) = field_picture(image, find_field(image), 100)
    assert small.shape == (3, 100, 100)
    y, x = np.argwhere(small[0].numpy() > 240).mean(0) + 0.5
    assert (left + x * scale, top + y * scale) == pytest.approx((45, 105), abs=scale)
    assert scale == 3
    assert (left, top) == (0, -30)  # the picture is 60 pixels wider than high: 30 black ones above and below
    assert (small[:, :9] == 0).all()


def test_standardised_channels_are_alike_whatever_their_gain():
    picture = torch.rand(3, 20, 20, generator=torch.Generator().manual_seed(0)) * 100 + 50
    picture[:, :5] = 0
    gains = torch.tensor([1.0, 1.6, 0.7])[:, None, None]
    plain, tinted = standardise(picture, 20.0), standardise(picture * gains, 20.0)
    assert (plain[:, :5] == 0).all()
    assert plain[:, 5:].mean((1, 2)) == pytest.approx([0, 0, 0], abs=1e-5)
    # the deviation of about 30 grey levels has 1 added to it, which gains change by at most 1/20 of 1
    assert torch.allclose(plain, tinted, atol=0.05)


def test_a_picture_without_lit_pixels_becomes_0():
    assert (standardise(torch.ones(3, 4, 4), 20.0) == 0).all()
