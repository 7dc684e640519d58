import numpy as np
import pytest
import torch

from monai_sfda.transforms.locate import LONGEST, locate_disc, read_map


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
    place = locate_disc(photograph(200 * scale, 300 * scale, 100 * scale, 90 * scale, 14 * scale), bright)
    # a pixel of the working picture is 1.5 pixels of the photograph at scale 1
    assert (place.x, place.y) == pytest.approx((100 * scale, 90 * scale), abs=1.5 * scale)
    assert place.diameter == pytest.approx(28 * scale * LONGEST, abs=3 * scale)
    assert place.confidence > 0.9


def test_a_black_picture_has_no_disc():
    assert locate_disc(torch.zeros(3, 60, 80), bright) == (40, 30, 0, 0)
