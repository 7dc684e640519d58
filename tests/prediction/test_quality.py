import pytest
import torch
from torch.nn.functional import avg_pool2d

from monai_sfda.prediction.quality import image_quality


def photograph(seed=0, low=0.2, high=0.6):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand((3, 256, 256), generator=generator) * (high - low) + low


def quality(image):
    return image_quality(image * 2 - 1)


def test_brightness_and_contrast_of_a_half_white_image():
    image = torch.zeros(3, 64, 64)
    image[:, 32:] = 1
    numbers = quality(image)
    assert numbers["brightness"] == pytest.approx(0.5)
    assert numbers["contrast"] == pytest.approx(0.5, abs=0.001)
    assert (numbers["clipped"], numbers["field"]) == (0.5, 0.5)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_numbers_are_those_of_the_averaged_image(layout):
    image = torch.rand((1, 3, 256, 512), generator=torch.Generator().manual_seed(1))
    numbers = quality(image.contiguous(memory_format=layout)[0])
    averaged = quality(avg_pool2d(image, (2, 4))[0])
    assert numbers == pytest.approx(averaged, rel=1e-4)


def test_a_single_clipped_colour_does_not_count():
    image = torch.full((3, 64, 64), 0.5)
    image[0] = 1
    assert quality(image)["clipped"] == 0
    image[1] = 1
    assert quality(image)["clipped"] == 1


def test_a_field_is_where_any_colour_is():
    image = torch.zeros(3, 64, 64)
    image[0, :16] = 0.1
    assert quality(image)["field"] == 0.25


def test_a_uniform_image_has_no_sharpness():
    numbers = quality(torch.full((3, 256, 256), 0.3))
    assert numbers["sharpness"] is None
    assert numbers["contrast"] == pytest.approx(0, abs=1e-5)


def test_blur_lowers_sharpness():
    image = photograph()
    blurred = avg_pool2d(image[None], 9, stride=1, padding=4, count_include_pad=False)[0]
    assert quality(blurred)["sharpness"] < 0.5 * quality(image)["sharpness"]


def test_sharpness_depends_neither_on_brightness_nor_on_contrast():
    image = photograph()
    assert quality(0.3 * image + 0.1)["sharpness"] == pytest.approx(quality(image)["sharpness"], rel=1e-3)


def test_sharpness_of_a_chessboard_by_hand():
    """On +-1 fields of one pixel the Laplacian is -8 times the image, so the ratio of variances is 64."""
    board = (torch.arange(64)[:, None] + torch.arange(64)) % 2
    assert quality(board.expand(3, 64, 64).float())["sharpness"] == pytest.approx(64, rel=0.01)


def test_any_size_will_do_and_numbers_are_plain():
    for shape in ((3, 64, 96), (3, 300, 200)):
        assert all(isinstance(value, float) for value in quality(torch.rand(shape)).values())
