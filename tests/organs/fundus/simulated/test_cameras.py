from dataclasses import replace

import numpy as np
import pytest

from monai_sfda.organs.fundus.simulated.cameras import CAMERAS, Camera, add_noise, develop, illumination, photograph

PLAIN = Camera(
    disc_share=(0.5, 0.5), off_centre=0.0, colour_spread=0, exposure_spread=0, gradient=0, vignette=0,
    haze=(0, 0), blur=(0, 0), noise=0, jpeg=(95, 95),
)  # fmt: skip


def rng():
    return np.random.default_rng(0)


def grey(value, size=32):
    return np.full((3, size, size), value, np.float32)


def test_a_plain_camera_keeps_a_uniform_grey():
    picture = photograph(grey(0.5), PLAIN, rng())
    assert (picture == 128).all()  # 0.5 * 255 = 127.5, rounded up; a uniform field passes JPEG exactly


def test_haze_mixes_its_colour_into_the_scene():
    camera = replace(PLAIN, haze=(0.25, 0.25), haze_colour=(0.8, 0.4, 0.0))
    picture = photograph(grey(0.4), camera, rng()).mean((0, 1)) / 255
    # 0.75 * 0.4 + 0.25 * (0.8, 0.4, 0); JPEG stores colour in whole grey levels, so two of them.
    assert picture == pytest.approx([0.5, 0.4, 0.3], abs=2 / 255)


def test_gain_then_gamma_then_saturation():
    camera = replace(PLAIN, gain=(1.0, 0.5, 0.5), gamma=2.0, saturation=0.5)
    developed = develop(grey(0.6), camera, rng())[:, 0, 0]
    # (0.6, 0.3, 0.3) squared is (0.36, 0.09, 0.09); its grey is 0.3 * 0.36 + 0.7 * 0.09 = 0.171; half way to it.
    assert developed == pytest.approx([0.2655, 0.1305, 0.1305], abs=1e-5)  # float32


def test_highlights_roll_off_without_a_jump_and_never_pass_1():
    scene = np.linspace(0, 3, 3 * 64 * 64, dtype=np.float32).reshape(3, 64, 64)
    developed = develop(scene, PLAIN, rng()).ravel()
    assert (np.diff(np.sort(developed)) < 1e-3).all()  # the input rises by 2.4e-4 and no slope is above 1
    assert developed.max() <= 1
    assert developed[: developed.size // 4] == pytest.approx(scene.ravel()[: developed.size // 4], abs=1e-6)


def test_light_falls_by_at_most_gradient_and_vignette():
    assert (illumination(16, PLAIN, rng()) == 1).all()
    light = illumination(64, replace(PLAIN, gradient=0.4), rng())
    assert light.max() <= 1
    assert np.exp(-0.4) - 1e-6 <= light.min() < 0.9  # at least half of the gradient is drawn


def test_noise_has_its_level_at_mid_grey_and_grows_with_the_signal():
    dark, middle, bright = (add_noise(np.full((64, 64, 3), v, np.uint8), 4.0, rng()).std() for v in (40, 128, 215))
    # 12,288 samples give a relative error of 0.6 %, rounding adds 1/12 to the variance of 16; three of those errors.
    assert middle == pytest.approx(4.0, rel=0.025)
    assert dark < middle < bright


def test_more_blur_leaves_less_detail():
    scene = rng().random((3, 64, 64), dtype=np.float32)
    detail = [photograph(scene, replace(PLAIN, blur=(b, b)), rng()).std() for b in (0, 1, 2, 4)]
    assert detail == sorted(detail, reverse=True)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [({"disc_share": (0.6, 0.5)}, "rising"), ({"disc_share": (0.5, 0.9), "off_centre": 0.1}, "stay in the crop")],
)
def test_framing_that_would_cut_the_disc_is_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        replace(CAMERAS["source"], **wrong)
