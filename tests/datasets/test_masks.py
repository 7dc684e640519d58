"""Grey levels to class ids, the square around the disc, and scaling, on drawings of a few pixels."""

import numpy as np
import pytest
from PIL import Image

from monai_sfda.datasets.masks import (
    classify_grey,
    crop_around_disc,
    ids_of_structures,
    read_grey,
    read_structure,
    resize,
)

REFUGE = {2: (0, 0), 1: (128, 128), 0: (255, 255)}


def disc(height, width, top, left, side, cup=0):
    """A square disc with a square cup in its middle."""
    ids = np.zeros((height, width), np.uint8)
    ids[top : top + side, left : left + side] = 1
    inner = (side - cup) // 2
    ids[top + inner : top + inner + cup, left + inner : left + inner + cup] = 2
    return ids


def test_grey_levels_become_ids():
    grey = np.array([[0, 128, 255]], np.uint8)
    assert classify_grey(grey, REFUGE).tolist() == [[2, 1, 0]]


def test_ranges_include_their_ends():
    grey = np.array([0, 50, 51, 200, 201, 255], np.uint8)
    assert classify_grey(grey, {2: (0, 50), 1: (51, 200), 0: (201, 255)}).tolist() == [2, 2, 1, 1, 0, 0]


def test_unexpected_levels_are_named_and_counted():
    grey = np.array([0, 3, 3, 7, 255], np.uint8)
    with pytest.raises(ValueError, match=r"Expected the grey levels 0, 128, 255 in the mask, found 3, 7 in 3 pixels"):
        classify_grey(grey, REFUGE)


def test_cup_outside_the_disc_is_background():
    disc_mask = np.array([[1, 1, 0, 0]], bool)
    cup_mask = np.array([[0, 1, 1, 0]], bool)
    assert ids_of_structures(disc_mask, cup_mask).tolist() == [[1, 2, 0, 0]]


@pytest.mark.parametrize("mode", ["1", "L", "RGB", "P"])
def test_a_black_and_white_mask_reads_the_same_in_every_mode(tmp_path, mode):
    white = np.array([[0, 255], [255, 0]], np.uint8)
    Image.fromarray(white).convert(mode).save(tmp_path / "mask.png")
    assert read_structure(tmp_path / "mask.png").tolist() == [[False, True], [True, False]]


def test_a_palette_gives_its_grey_and_not_its_index(tmp_path):
    image = Image.new("P", (3, 1))
    image.putdata([0, 1, 2])
    image.putpalette([0, 0, 0, 128, 128, 128, 255, 255, 255])
    image.save(tmp_path / "mask.bmp")
    assert read_grey(tmp_path / "mask.bmp").tolist() == [[0, 128, 255]]


def test_the_square_has_the_disc_in_its_middle():
    ids = disc(20, 30, top=4, left=12, side=6, cup=2)
    image = np.arange(20 * 30 * 3).reshape(20, 30, 3).astype(np.uint8)
    cut, cut_ids = crop_around_disc(image, ids, 10)
    assert cut.shape == (10, 10, 3)
    assert np.array_equal(cut_ids, disc(10, 10, top=2, left=2, side=6, cup=2))
    assert np.array_equal(cut, image[2:12, 10:20])


def test_an_odd_disc_is_at_most_half_a_pixel_off_the_middle():
    _, ids = crop_around_disc(np.zeros((20, 20, 3), np.uint8), disc(20, 20, top=5, left=5, side=5), 10)
    rows = np.flatnonzero((ids > 0).any(1))
    assert (rows[0] + rows[-1]) / 2 == pytest.approx(4.5, abs=0.5)


def test_beyond_the_photograph_is_black_and_background():
    ids = disc(12, 12, top=0, left=0, side=4)
    cut, cut_ids = crop_around_disc(np.full((12, 12, 3), 9, np.uint8), ids, 10)
    assert np.array_equal(cut_ids, disc(10, 10, top=3, left=3, side=4))
    assert not cut[:3].any()
    assert not cut[:, :3].any()
    assert (cut[3:, 3:] == 9).all()


def test_a_square_larger_than_the_photograph_works():
    cut, cut_ids = crop_around_disc(np.ones((6, 6, 3), np.uint8), disc(6, 6, top=2, left=2, side=2), 40)
    assert cut.shape == (40, 40, 3)
    assert (cut.sum(), (cut_ids > 0).sum()) == (6 * 6 * 3, 4)


def test_a_disc_larger_than_the_square_is_refused():
    with pytest.raises(ValueError, match=r"fits a square of 5 pixels, found 6 x 6; give a larger --crop"):
        crop_around_disc(np.zeros((20, 20, 3), np.uint8), disc(20, 20, top=4, left=4, side=6), 5)


def test_the_same_size_changes_nothing():
    rng = np.random.default_rng(0)
    image, ids = rng.integers(256, size=(16, 16, 3), dtype=np.uint8), disc(16, 16, top=3, left=3, side=9, cup=3)
    scaled, scaled_ids = resize(image, ids, 16)
    assert np.array_equal(scaled, image)
    assert np.array_equal(scaled_ids, ids)


@pytest.mark.parametrize("size", [8, 32])
def test_scaling_keeps_shares_and_ids(size):
    ids = disc(16, 16, top=4, left=4, side=8, cup=4)  # borders on even pixels, so both scalings are exact
    _, scaled = resize(np.zeros((16, 16, 3), np.uint8), ids, size)
    factor = size // 2 * size // 2 / 64
    assert (scaled > 0).sum() == 64 * factor
    assert (scaled == 2).sum() == 16 * factor
    assert scaled.dtype == np.uint8


def test_a_cup_outside_the_disc_or_of_another_size_is_refused():
    disc, cup = np.zeros((9, 9), bool), np.zeros((9, 9), bool)
    disc[:4], cup[5:] = True, True
    with pytest.raises(ValueError, match="found most of it outside"):
        ids_of_structures(disc, cup)
    with pytest.raises(ValueError, match="found 9x9 and 9x8"):
        ids_of_structures(disc, cup[:8])


def test_the_cup_stays_inside_the_disc_and_no_new_id_appears():
    rng = np.random.default_rng(1)
    ids = ids_of_structures(rng.random((37, 37)) < 0.6, rng.random((37, 37)) < 0.5)
    _, scaled = resize(np.zeros((37, 37, 3), np.uint8), ids, 23)
    assert set(np.unique(scaled)) == {0, 1, 2}
