import numpy as np
import pytest

from monai_sfda.organs.fundus.simulated.vessels import Vessel, course, draw_vessels, grow_vessels


def test_a_straight_vessel_covers_its_width():
    x = np.linspace(-3, 3, 60)
    vessel = Vessel(np.stack([x, 0 * x], 1), np.full(60, 0.5), artery=False)
    veins, arteries = draw_vessels([vessel], np.array([0.25, 0.25]), np.array([0.5, 0.5]), 128)
    assert not arteries.any()
    # 0.5 disc radii of 32 pixels are 16 pixels, from row 56 to 72; a filled polygon includes its edge pixels.
    assert (veins[:, 64] > 0).sum() == pytest.approx(16, abs=2)
    assert veins[64, 64] == 1
    assert 0 < veins[57, 64] < veins[64, 64]


def test_a_mirrored_view_mirrors_the_vessels():
    vessels = list(grow_vessels(np.random.default_rng(1), np.zeros(2)))
    centre = np.array([0.5, 0.5])
    right = draw_vessels(vessels, np.array([0.25, 0.25]), centre, 128)
    left = draw_vessels(vessels, np.array([-0.25, 0.25]), centre, 128)
    # Polygons round their edges to one side, so single pixels along the vessels differ.
    assert np.abs(right - left[:, :, ::-1]).mean() < 0.1 * right.mean()


def test_vessels_leave_upwards_and_downwards_and_side_branches_are_thinner():
    vessels = list(grow_vessels(np.random.default_rng(2), np.zeros(2)))
    ends = np.array([vessel.points[-1] for vessel in vessels])
    assert ends[:, 1].min() < -2
    assert ends[:, 1].max() > 2
    widest = max(vessel.width.max() for vessel in vessels)
    assert np.median([vessel.width.max() for vessel in vessels]) < widest / 2
    assert {vessel.artery for vessel in vessels} == {True, False}


def test_a_course_starts_where_and_in_the_direction_it_is_told():
    points = course(np.random.default_rng(0), np.array([1.0, 2.0]), np.pi / 2, 0.0, 2.0)
    assert points[0].tolist() == [1.0, 2.0]
    assert points[1] == pytest.approx([1.0, 2.07], abs=1e-9)  # one step of 0.07 along the heading
