import numpy as np
import pytest
import torch

from monai_sfda.organs.fundus.locate.field_of_view import Field, find_field
from monai_sfda.organs.fundus.locate.locate import LONGEST, Location, locate_disc, read_map, same_disc


def circle(x, y, radius, size=128):
    rows, columns = np.mgrid[:size, :size] + 0.5
    return np.hypot(columns - x, rows - y) < radius


def test_centre_diameter_and_confidence_of_a_round_disc():
    place = read_map(np.where(circle(40, 70, 12), 0.9, 0.1))
    assert (place.x, place.y) == pytest.approx((40, 70))
    assert place.diameter == pytest.approx(24 * LONGEST, rel=0.01)  # the area of a circle drawn in pixels
    assert place.confidence == pytest.approx(0.9)


def test_the_part_with_most_probability_wins_over_a_smaller_surer_one():
    probability = np.where(circle(40, 70, 12), 0.8, 0.1)
    probability[circle(100, 30, 4)] = 1.0
    assert read_map(probability).x == pytest.approx(40)


def test_a_spot_smaller_than_discs_are_is_doubtful():
    place = read_map(np.where(circle(40, 70, 4), 1.0, 0.0))
    assert place.confidence == pytest.approx((place.diameter / 12) ** 2)
    assert place.confidence < 0.55


def test_nothing_above_a_half_is_no_disc_but_a_best_guess():
    probability = np.full((128, 128), 0.1)
    probability[20, 90] = 0.4
    assert read_map(probability) == pytest.approx((90.5, 20.5, 0.0, 0.4))


def bright(picture):
    """A network that takes what is far brighter than the rest for the disc."""
    return 10 * (picture.mean(1, keepdim=True) - 2)


def photograph(height, width, x, y, radius):
    rows, columns = np.mgrid[:height, :width] + 0.5
    field = np.hypot(columns - width / 2, rows - height / 2) < 0.48 * height
    level = np.where(np.hypot(columns - x, rows - y) < radius, 220.0, 90.0) * field
    return torch.as_tensor(np.stack([level] * 3), dtype=torch.float32)


@pytest.mark.parametrize("scale", [1, 3])
def test_a_disc_is_found_in_pixels_of_the_photograph_at_any_size(scale):
    image = photograph(200 * scale, 300 * scale, 100 * scale, 90 * scale, 14 * scale)
    place = locate_disc(image, find_field(image), bright)
    # a pixel of the working picture is 1.5 pixels of the photograph at scale 1
    assert (place.x, place.y) == pytest.approx((100 * scale, 90 * scale), abs=1.5 * scale)
    assert place.diameter == pytest.approx(28 * scale * LONGEST, abs=3 * scale)
    assert place.confidence > 0.9


def test_a_look_at_a_part_or_upside_down_gives_the_place_in_the_photograph():
    image = photograph(200, 300, 100, 90, 14)
    field = find_field(image)
    for part, turned in ((Field(60, 50, 140, 130, field.level), False), (field, True)):
        place = locate_disc(image, part, bright, upside_down=turned)
        assert (place.x, place.y) == pytest.approx((100, 90), abs=1.5)
        assert place.diameter == pytest.approx(28 * LONGEST, abs=3)


@pytest.mark.parametrize(
    ("x", "diameter", "same"),
    [(100, 50, True), (109, 50, True), (111, 50, False), (100, 69, True), (100, 71, False), (100, 35, False)],
)
def test_two_looks_saw_one_disc_if_place_and_size_are_alike(x, diameter, same):
    assert same_disc(Location(100, 80, 50, 0.9), Location(x, 80, diameter, 0.9)) is same


def test_where_nothing_is_seen_is_no_disc_twice():
    assert not same_disc(Location(100, 80, 0, 0.4), Location(100, 80, 0, 0.4))
