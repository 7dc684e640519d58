from dataclasses import replace

import numpy as np
import pytest

from monai_sfda.organs.fundus.simulated.cameras import CAMERAS
from monai_sfda.organs.fundus.simulated.full_photograph import simulate_full, thicken
from monai_sfda.organs.fundus.simulated.vessels import Vessel

SOURCE = CAMERAS["source"]


def photographs(count, **settings):
    return [simulate_full(index, camera=SOURCE, height=160, **settings) for index in range(count)]


def test_the_same_seed_and_index_give_the_same_photograph():
    first, second = (simulate_full(3, camera=SOURCE, height=120, seed=5) for _ in range(2))
    assert np.array_equal(first.image, second.image)
    assert np.array_equal(first.mask, second.mask)
    assert first[2:] == second[2:]


def test_two_cameras_photograph_the_same_eye_in_the_same_place():
    first, second = (simulate_full(3, camera=CAMERAS[name], height=120) for name in ("source", "handheld"))
    assert np.array_equal(first.mask, second.mask)
    assert first[2:] == second[2:]
    assert not np.array_equal(first.image, second.image)


def test_every_photograph_has_a_whole_disc_with_a_cup_where_the_truth_says():
    for photo in photographs(20):
        assert photo.image.shape == (*photo.mask.shape, 3)
        assert (photo.image.dtype, photo.mask.dtype) == (np.uint8, np.uint8)
        assert np.unique(photo.mask).tolist() == [0, 1, 2]
        assert not np.concatenate([photo.mask[[0, -1]].ravel(), photo.mask[:, [0, -1]].ravel()]).any()
        y, x = np.nonzero(photo.mask) + np.full((2, 1), 0.5)
        distance = np.hypot(x - photo.centre[0], y - photo.centre[1])
        # the longest radius of the outline is half of the diameter, to a pixel's diagonal
        assert distance.max() == pytest.approx(photo.diameter / 2, abs=0.75)


def test_the_disc_is_a_fifth_to_a_tenth_of_the_frames_height():
    shares = [photo.diameter / 160 for photo in photographs(20)]
    # 1 / 9 to 1 / 4.8 of the field, which is 0.86 to 1.18 of the frame's height
    assert 0.86 / 9 <= min(shares) < max(shares) <= 1.18 / 4.8


def test_the_surround_is_dark_and_the_field_is_not():
    for photo in photographs(10):
        height, width = photo.mask.shape
        corners = photo.image[[0, 0, -1, -1], [0, -1, 0, -1]]
        assert corners.max() < 40 or height == width  # the field may reach into the corners of a square frame only
        assert photo.image[photo.mask > 0].mean() > 60


def test_frames_fields_and_eyes_differ():
    photos = photographs(20)
    assert len({photo.mask.shape for photo in photos}) >= 3
    left = [photo.centre[0] < photo.mask.shape[1] / 2 for photo in photos]
    assert 3 <= sum(left) <= 17
    middles = [abs(photo.centre[0] / photo.mask.shape[1] - 0.5) for photo in photos]
    assert min(middles) < 0.1 < 0.25 < max(middles)


def test_without_a_disc_the_mask_is_empty_and_the_disc_outside_the_field():
    for photo in photographs(10, disc=False):
        assert not photo.mask.any()
        height, width = photo.mask.shape
        assert np.hypot(photo.centre[0] - width / 2, photo.centre[1] - height / 2) > height / 2


def test_the_height_is_that_of_the_frame():
    assert simulate_full(0, camera=replace(SOURCE, noise=0.0), height=201).mask.shape[0] == 201


def test_trunks_are_thickened_and_the_finest_branches_hardly():
    points = np.zeros((2, 2))
    (vessel,) = thicken((Vessel(points, np.array([0.1, 0.01]), True),), 1.5)
    assert vessel.width == pytest.approx([0.15, 0.011])  # 0.01 is a fifth of 0.05: a fifth of the half more


def test_photographs_too_small_to_draw_are_refused():
    with pytest.raises(ValueError, match="at least 96 pixels"):
        simulate_full(0, camera=SOURCE, height=50)
