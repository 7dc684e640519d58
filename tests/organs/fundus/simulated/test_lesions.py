import numpy as np
import pytest

from monai_sfda.organs.fundus.simulated.lesions import (
    BLOOD,
    paint_blot,
    paint_lesions,
    paint_macula,
    paint_reflexes,
    paint_sheen,
)

AXIS = np.linspace(-8, 8, 161, dtype=np.float32)  # a tenth of a disc radius per pixel
X, Y = AXIS[None], AXIS[:, None]


def rng(seed=0):
    return np.random.default_rng(seed)


def scene():
    return np.full((3, 161, 161), 0.5, np.float32)


def test_the_macula_darkens_its_middle_and_leaves_the_rest():
    painted = paint_macula(scene(), X, Y, rng())
    assert painted[:, 80, 75].max() < 0.45  # beside the reflex
    assert painted[:, 0, 0] == pytest.approx([0.5] * 3, abs=1e-4)


def test_the_sheen_fades_with_the_distance_from_the_disc():
    painted = paint_sheen(scene(), X, Y, rng(1))
    row = painted[0, 80, 80:]
    assert (np.diff(row) <= 1e-6).all()
    assert row[0] > row[-1] >= 0.5


def test_a_blot_has_its_colour_within_and_nothing_far_beyond():
    painted = paint_blot(scene(), X - 2, Y + 3, 1.0, np.zeros((161, 161), np.float32), BLOOD, 0.1, rng())
    far = np.hypot(X - 2, Y + 3) > 5  # the corner of a square of seven radii
    assert (painted[:, far] == 0.5).all()
    share = (0.5 - painted[:, 50, 100]) / (0.5 - BLOOD.ravel())  # pixel (50, 100) is y = -3, x = 2
    assert share == pytest.approx([share[0]] * 3, abs=1e-4)
    assert 0.59 < share[0] <= 1


def test_a_blot_outside_the_field_is_not_painted():
    assert (paint_blot(scene(), X - 30, Y, 1.0, np.zeros((161, 161)), BLOOD, 0.1, rng()) == 0.5).all()


def test_no_lesion_lies_on_the_disc_and_some_lie_elsewhere():
    texture = np.zeros((161, 161), np.float32)
    changed = np.zeros((161, 161), bool)
    for seed in range(30):
        changed |= (paint_lesions(scene(), X, Y, texture, rng(seed), keep_out=(5.0, 0.4)) != 0.5).any(0)
    assert not (abs(paint_lesions(scene(), X, Y, texture, rng(), keep_out=(5.0, 0.4))[:, 80, 80] - 0.5) > 0.02).any()
    assert changed.mean() > 0.1


def test_reflexes_only_add_light():
    for seed in range(20):
        painted = paint_reflexes(scene(), rng(seed))
        assert painted.min() >= 0.5 - 1e-6
        assert painted.max() <= 1
