"""Images on another scale are refused, with the setting that fits them."""

import pytest
import torch

from monai_sfda.transforms import WeakStrongViews
from monai_sfda.transforms.stored_range import StoredRange


def images(*values, dtype=torch.float32):
    return torch.tensor(values).to(dtype).view(1, 1, 1, -1)


@pytest.mark.parametrize(
    ("image", "sentence"),
    [
        (
            images(-1.0, 0.98),
            r"from 0 to 255, found -1 to 0\.98; read .*dtype=torch\.uint8.*a_min=-1, a_max=1, b_min=0, b_max=255",
        ),
        (images(-3.1, 2.5), r"found -3\.1 to 2\.5; remove what centres them"),
        (images(0.0, 1.0), r"found 0 to 1; give WeakStrongViews stored_max=1 if that is the value of white"),
        (images(0, 1, dtype=torch.uint8), r"stored_max=1 if"),
        (images(0.0, 4000.0), r"found 0 to 4000; give WeakStrongViews stored_max=4095"),
        (images(0, 4000, dtype=torch.int16), r"stored_max=4095"),
        (images(0.0, 70000.0), r"stored_max=70000"),
        (images(0.0, float("nan")), r"Expected finite images, found nan to nan"),
        (images(0.0, float("inf")), r"Expected finite images, found 0\.0 to inf"),
    ],
)
def test_another_scale_is_refused(image, sentence):
    with pytest.raises(ValueError, match=sentence):
        WeakStrongViews()(image)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int16, torch.float32, torch.float16])
def test_the_right_scale_is_taken_whatever_the_type(dtype):
    weak, _ = WeakStrongViews()(images(0, 255, dtype=dtype))
    assert weak.flatten().tolist() == [-1, 1]


def test_a_dark_batch_is_taken_once_a_bright_one_was_seen():
    views = WeakStrongViews()
    views(images(0.0, 0.0))
    views(images(0.0, 200.0))
    views(images(0.0, 1.0))
    with pytest.raises(ValueError, match="found -1 to 1"):
        views(images(-1.0, 1.0))


def test_the_scale_is_asked_of_every_batch_whose_type_does_not_say_it():
    views = WeakStrongViews()
    views(images(0, 200, dtype=torch.uint8))
    with pytest.raises(ValueError, match="found 0 to 3000"):
        views(images(0.0, 3000.0))


def test_rounding_is_no_other_scale():
    weak, _ = WeakStrongViews()(images(-1e-5, 255.0001))
    assert weak.flatten().tolist() == [-1, 1]


def test_white_is_above_black():
    with pytest.raises(ValueError, match="value of white, above 0, found 0"):
        StoredRange(0)
    with pytest.raises(ValueError, match="Expected std above 0, found 0"):
        WeakStrongViews(std=0)


def test_sixteen_bits_are_counted_without_a_sign():
    StoredRange(65535).check(torch.full((1, 1, 2, 2), 40000, dtype=torch.uint16))
    with pytest.raises(ValueError, match=r"found 40000 to 40000; give WeakStrongViews stored_max=65535"):
        StoredRange(255).check(torch.full((1, 1, 2, 2), 40000, dtype=torch.uint16))
