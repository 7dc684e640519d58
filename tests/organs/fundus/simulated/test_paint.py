from dataclasses import replace

import numpy as np
import pytest

from monai_sfda.organs.fundus.simulated.anatomy import draw_eye
from monai_sfda.organs.fundus.simulated.paint import Window, blend, paint_eye, soft_step

WINDOW = Window(0.5, 0.5, 0.25)


def rng(seed=0):
    return np.random.default_rng(seed)


def paint(eye, *, pallor=0.0, vessel_contrast=1.0):
    return paint_eye(eye, WINDOW, 96, rng(), pallor=pallor, vessel_contrast=vessel_contrast)


def test_scene_is_float32_in_0_to_1_and_mask_counts_structures():
    scene, mask = paint(draw_eye(rng(), 0.5))
    assert (scene.shape, scene.dtype) == ((3, 96, 96), np.float32)
    assert 0 <= scene.min() < scene.max() <= 1
    assert np.unique(mask).tolist() == [0, 1, 2]


def test_the_other_eye_has_the_mirrored_mask():
    eye = draw_eye(rng(), 0.5)
    _, mask = paint(eye)
    _, mirrored = paint(replace(eye, side=-eye.side))
    assert np.array_equal(mask, mirrored[:, ::-1])


def test_pallor_pales_the_rim_and_not_the_retina():
    eye = draw_eye(rng(1), 0.4)
    (pink, mask), (pale, _) = paint(eye), paint(eye, pallor=0.6)
    assert pale[1][mask == 1].mean() > 1.1 * pink[1][mask == 1].mean()
    assert pale[1][:20].mean() == pytest.approx(pink[1][:20].mean(), rel=1e-3)  # the soft edge of the disc reaches out


def test_vessels_darken_green_most_and_their_contrast_can_be_switched_off():
    eye = draw_eye(rng(1), 0.4)
    (seen, _), (faint, _) = paint(eye), paint(eye, vessel_contrast=0.0)
    loss = 1 - (seen / np.maximum(faint, 1e-6)).mean((1, 2))
    assert loss[1] > loss[2] > loss[0] > 0


def test_textures_stay_with_the_eye_when_the_window_moves():
    here = Window(0.5, 0.5, 0.25).texture(rng(), 0.5, 64)
    moved = Window(0.75, 0.5, 0.25).texture(rng(), 0.5, 64)
    assert here[:, :48] == pytest.approx(moved[:, 16:], abs=1e-4)  # a quarter of 64 pixels; float32 interpolation


def test_a_soft_step_is_half_at_its_place_and_blend_mixes_by_opacity():
    assert soft_step(np.array([-1.0, 0.0, 1.0]), 0.05) == pytest.approx([0, 0.5, 1], abs=1e-6)
    mixed = blend(np.zeros((3, 1, 2)), np.ones((3, 1, 2)), np.array([[0.25, 1.0]]))
    assert mixed.tolist() == [[[0.25, 1.0]]] * 3
