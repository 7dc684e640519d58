from dataclasses import replace

import numpy as np
import pytest

from monai_sfda.organs.fundus.simulated.cameras import CAMERAS
from monai_sfda.organs.fundus.simulated.field_frame import Frame, draw_frame, put_in_frame

QUIET = replace(CAMERAS["source"], noise=0.0)


def put(frame, seed=0):
    field = np.full((frame.size(), frame.size(), 3), 180, np.uint8)
    ids = np.ones(field.shape[:2], np.uint8)
    return put_in_frame(field, ids, frame, QUIET, np.random.default_rng(seed))


def test_the_field_is_a_circle_of_its_radius():
    image, mask = put(Frame(150, 100, 75.0, 50.0, 40.0))
    assert (image.shape, mask.shape) == ((100, 150, 3), (100, 150))
    # within the radius less the soft edge of up to 4 pixels and the notch of 0.03 radii
    assert mask.sum() == pytest.approx(np.pi * 38.5**2, rel=0.02)
    assert image[50, 75] == pytest.approx([180] * 3, abs=3)  # JPEG
    assert image[:, :20].mean() < 15


def test_a_field_higher_than_the_frame_is_cut_above_and_below():
    image, mask = put(Frame(150, 100, 75.0, 50.0, 57.0))
    assert mask[[0, -1], 75].all()
    assert mask[50, [10, 140]].tolist() == [0, 0]
    assert image[0, 75].mean() > 100


def test_frames_are_round_and_cut_of_several_shapes():
    frames = [draw_frame(np.random.default_rng(seed), 200) for seed in range(60)]
    assert {frame.height for frame in frames} == {200}
    assert {frame.width for frame in frames} == {200, 230, 267, 300}
    assert 0.2 < np.mean([frame.radius > 100 for frame in frames]) < 0.6  # 0.4 on average
