import numpy as np
import pytest

from monai_sfda.organs.fundus.simulated.anatomy import ANGLES, draw_cup, draw_eye, locate, lookup, outline


def test_a_smooth_outline_is_an_ellipse():
    curve = outline(np.random.default_rng(0), 1.44, 0.0)
    quarter = ANGLES // 4  # entries 0, 1, 2, 3 quarters: left, up, right, down
    assert curve[::quarter] == pytest.approx([1 / 1.2, 1.2, 1 / 1.2, 1.2], abs=1e-5)  # float32


def test_lookup_wraps_around():
    table = np.arange(8)
    assert lookup(table, np.array([-np.pi, 0.0, np.pi - 1e-6, np.pi])).tolist() == [0, 4, 7, 0]


def test_distances_are_1_on_the_edges_of_disc_and_cup():
    circle = np.ones(ANGLES, np.float32)
    _, disc, cup = locate(2 * circle, 0.5 * circle, (0.25, 0.0), np.array([2.0, 1.5, 0.5]), np.zeros(3))
    # Unit-disc positions 1, 0.75 and 0.25; the cup of radius 0.5 about 0.25 ends at 0.75.
    assert disc == pytest.approx([1, 0.75, 0.25])
    assert cup == pytest.approx([1.5, 1, 0])


def test_every_cup_leaves_a_rim():
    for seed in range(50):
        cup, centre = draw_cup(np.random.default_rng(seed), 0.8)
        assert cup.max() + np.hypot(*centre) <= 0.95 + 1e-6  # float32


def test_eyes_differ_in_everything():
    eyes = [draw_eye(np.random.default_rng(seed), 0.5) for seed in range(40)]
    for part in ("cup_depth", "pigment", "tessellation", "lens", "atrophy_angle"):
        assert len({getattr(eye, part) for eye in eyes}) == len(eyes)
    assert {eye.side for eye in eyes} == {1, -1}
    assert 0 < sum(eye.atrophy > 0 for eye in eyes) < len(eyes) / 2
    assert all(eye.disc.max() == 1 for eye in eyes)
