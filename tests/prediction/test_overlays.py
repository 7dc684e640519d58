import os

import numpy as np
import pytest
from PIL import Image

from monai_sfda.organs.fundus import DiscAndCup
from monai_sfda.prediction.overlays import draw_overlay, thumbnail, write_overlays

EYE = {1: "disc", 2: "cup"}
FUNDUS = DiscAndCup(disc=1, cup=2)


def ids_of(height=300, width=400, top=100, left=150, side=40):
    ids = np.zeros((height, width), np.uint8)
    ids[top : top + side, left : left + side] = 1
    quarter = side // 4
    ids[top + quarter : top + 3 * quarter, left + quarter : left + 3 * quarter] = 2
    return ids


@pytest.fixture
def files(tmp_path):
    (tmp_path / "masks").mkdir()
    Image.fromarray(ids_of()).save(tmp_path / "masks" / "a.png")
    Image.new("RGB", (400, 300), (150, 80, 40)).save(tmp_path / "a.jpg")
    return tmp_path


def test_an_overlay_is_as_large_as_asked_for_and_never_larger_than_the_photograph():
    photo = np.full((300, 400, 3), 90, np.uint8)
    assert draw_overlay(photo, ids_of(), EYE, FUNDUS, size=200).shape == (150, 200, 3)
    assert draw_overlay(photo, ids_of(), EYE, FUNDUS, size=2000).shape == photo.shape


def test_the_outline_of_the_disc_goes_around_the_cup():
    photo = np.full((300, 400, 3), 90, np.uint8)
    picture = draw_overlay(photo, ids_of(), EYE, FUNDUS, size=400)
    changed = (picture != 90).any(-1)
    assert changed[100, 170]  # upper edge of the disc
    assert changed[110, 170]  # upper edge of the cup
    assert not changed[120, 170]  # middle of the cup
    assert not changed[50, 50]


def test_an_empty_mask_leaves_the_photograph_as_it_is():
    photo = np.full((30, 40, 3), 90, np.uint8)
    assert (draw_overlay(photo, np.zeros((30, 40), np.uint8), EYE, FUNDUS, size=40) == 90).all()


def test_a_thumbnail_shows_the_surroundings_of_a_small_disc(files):
    near = thumbnail({"image": files / "a.jpg"}, files / "masks" / "a.png", EYE, FUNDUS, size=200)
    assert near.shape == (120, 120, 3)  # 3 widths of the disc of 40 pixels
    far = thumbnail({"image": files / "a.jpg"}, files / "masks" / "a.png", EYE, FUNDUS, size=260)
    assert far.shape == (195, 260, 3)  # 120 pixels are too few to be shown as 260
    whole = thumbnail({"image": files / "a.jpg"}, files / "masks" / "a.png", {1: "nucleus"}, size=200)
    assert whole.shape == (150, 200, 3)


def test_a_thumbnail_of_nothing_readable_is_none(files):
    (files / "bad.jpg").write_bytes(b"junk")
    assert thumbnail({"image": files / "bad.jpg"}, files / "masks" / "a.png", EYE, FUNDUS, size=100) is None
    assert thumbnail({"image": files / "lost.jpg"}, files / "masks" / "a.png", EYE, FUNDUS, size=100) is None


def test_overlays_are_named_as_masks_and_not_drawn_twice(files):
    rows = [{"file": "a.jpg", "mask": "a.png"}, {"file": "lost.jpg", "mask": "lost.png"}]
    (files / "masks" / "lost.png").write_bytes((files / "masks" / "a.png").read_bytes())
    images = {"a.jpg": {"image": files / "a.jpg"}}
    write_overlays(files, rows, images, EYE, FUNDUS)
    target = files / "overlays" / "a.jpg"
    drawn = target.stat().st_mtime_ns
    write_overlays(files, rows, images, EYE, FUNDUS)
    assert target.stat().st_mtime_ns == drawn
    assert [path.name for path in (files / "overlays").iterdir()] == ["a.jpg"]


def test_an_overlay_of_a_mask_that_was_replaced_is_not_kept_when_it_cannot_be_drawn_anew(files):
    rows = [{"file": "a.jpg", "mask": "a.png"}]
    write_overlays(files, rows, {"a.jpg": {"image": files / "a.jpg"}}, EYE, FUNDUS)
    drawn = (files / "overlays" / "a.jpg").stat().st_mtime_ns
    os.utime(files / "masks" / "a.png", ns=(drawn + 1, drawn + 1))
    write_overlays(files, rows, {}, EYE, FUNDUS)
    assert not (files / "overlays" / "a.jpg").exists()
