import base64
import io

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from monai_sfda.report.pictures import (
    PALETTE,
    before_after,
    contact_sheet,
    outline_overlay,
    outline_strip,
    to_data_uri,
)


def circle(radius, size=128, centre=64):
    rows, columns = np.mgrid[:size, :size]
    return (rows - centre) ** 2 + (columns - centre) ** 2 <= radius**2


@pytest.fixture
def image():
    return np.full((128, 128, 3), 200, np.uint8)


def distance_to_outline(mask):
    return np.minimum(
        ndimage.distance_transform_edt(mask) + (~mask) * 1e9, ndimage.distance_transform_edt(~mask) + mask * 1e9
    )


def test_only_pixels_near_an_outline_change(image):
    disc, cup = circle(40), circle(20)
    drawn = outline_overlay(image, np.stack([disc, cup]))
    changed = (drawn != image).any(-1)
    near = np.minimum(distance_to_outline(disc), distance_to_outline(cup)) < 4  # half a line, its rim, the smoothing
    assert changed.any()
    assert not (changed & ~near).any()


def test_every_pixel_on_the_outline_has_the_colour_of_its_channel(image):
    disc = circle(40)
    drawn = outline_overlay(image, disc[None])
    edge = disc & ~ndimage.binary_erosion(disc)
    assert (drawn[edge][:, 1].astype(int) - drawn[edge][:, 0] > 60).all()  # green, the first of the palette


def test_the_second_channel_is_drawn_over_the_first(image):
    both = np.stack([circle(40), circle(40)])
    alone = both & [[[False]], [[True]]]
    np.testing.assert_array_equal(outline_overlay(image, both)[24, 64], outline_overlay(image, alone)[24, 64])


@pytest.mark.parametrize("fill", [False, True])
def test_a_channel_that_is_empty_or_everywhere_leaves_the_image_alone(image, fill):
    np.testing.assert_array_equal(outline_overlay(image, np.full((1, 128, 128), fill)), image)


def test_the_input_image_is_not_drawn_on(image):
    outline_overlay(image, circle(40)[None])
    assert (image == 200).all()


def test_more_channels_than_colours_start_again(image):
    many = np.stack([circle(radius) for radius in range(10, 10 + 4 * (len(PALETTE) + 1), 4)])
    assert outline_overlay(image, many).shape == image.shape


def test_a_line_is_wider_on_a_larger_image():
    changed = []
    for scale in (1, 4):
        picture = np.full((256 * scale, 256 * scale, 3), 200, np.uint8)
        mask = circle(80 * scale, 256 * scale, 128 * scale)
        across = outline_overlay(picture, mask[None])[128 * scale, : 128 * scale]
        changed.append((across != 200).any(-1).sum())
    assert changed[1] > 2 * changed[0]


def test_a_float_image_is_refused(image):
    with pytest.raises(ValueError, match=r"Expected an image \(H, W, 3\) uint8, found \(128, 128, 3\) float64"):
        outline_overlay(image / 255, circle(40)[None])


def test_structures_of_another_size_are_refused(image):
    with pytest.raises(ValueError, match=r"Expected structures \(K, 128, 128\) bool, found \(1, 64, 64\) bool"):
        before_after(image, np.ones((1, 64, 64), bool), circle(40)[None])


def test_before_and_after_stand_side_by_side_under_captions(image):
    channels = circle(40)[None]
    strip = before_after(image, channels, np.zeros_like(channels), tile=100)
    assert strip.shape[1] == 3 * 100 + 2 * 8
    assert strip.shape[0] > 100
    first, before, after = (strip[-100:, left : left + 100] for left in (0, 108, 216))
    assert (first == 200).all()
    assert (before != 200).any()
    assert (after == 200).all()


def test_a_reference_adds_a_fourth_picture(image):
    channels = circle(40)[None]
    assert before_after(image, channels, channels, channels, tile=100).shape[1] == 4 * 100 + 3 * 8


def test_a_strip_has_a_picture_for_each_network(image):
    one, none = circle(40)[None], np.zeros((1, 128, 128), bool)
    strip = outline_strip(image, {"source": none, "tent": one, "cbmt": none, "reference": one}, tile=100)
    pictures = [strip[-100:, left : left + 100] for left in range(0, 500, 108)]
    assert [bool((picture != 200).any()) for picture in pictures] == [False, False, True, False, True]


def test_the_shape_of_the_image_is_kept():
    channels = np.zeros((1, 50, 200), bool)
    strip = before_after(np.zeros((50, 200, 3), np.uint8), channels, channels, tile=100)
    assert (strip[-25:, :100] == 0).all()
    assert (strip[-26, :100] != 0).any()


def test_a_contact_sheet_fills_rows_and_leaves_the_rest_white():
    tiles = [np.full((4, 6, 3), shade, np.uint8) for shade in (10, 20, 30)]
    sheet = contact_sheet(tiles, 2, gap=1)
    assert sheet.shape == (9, 13, 3)
    assert (sheet[0, 0, 0], sheet[0, 7, 0], sheet[5, 0, 0], sheet[5, 7, 0]) == (10, 20, 30, 255)


def test_a_contact_sheet_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least one picture"):
        contact_sheet([], 3)


def test_a_png_address_holds_the_very_pixels():
    picture = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    head, _, body = to_data_uri(picture, "png").partition(",")
    assert head == "data:image/png;base64"
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(base64.b64decode(body)))), picture)


def test_the_default_address_is_a_jpeg():
    assert to_data_uri(np.zeros((8, 8, 3), np.uint8)).startswith("data:image/jpeg;base64,/9j/")
