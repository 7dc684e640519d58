import numpy as np
import pytest
import torch
from scipy import ndimage

from monai_sfda.transforms import BealMasksd


def disc(radius, centre=(60, 60), size=120):
    rows, columns = np.mgrid[:size, :size]
    return np.hypot(rows - centre[0], columns - centre[1]) <= radius


def cleaned(*masks):
    return BealMasksd("pred")({"pred": torch.from_numpy(np.stack(masks))})["pred"].numpy()


def test_a_disc_shrinks_by_the_radius_and_stays_one_piece():
    found = cleaned(disc(20))[0]
    assert ndimage.label(found)[1] == 1
    row = found[60]
    assert row.sum() == pytest.approx(2 * 13 + 1, abs=2)  # along a row a diamond reaches its whole radius


def test_of_two_pieces_the_larger_survives_in_each_channel():
    two = disc(18, (30, 30)) | disc(25, (85, 85))
    found = cleaned(two, disc(20))
    assert not found[0][:50, :50].any()
    assert found[0][85, 85]
    assert found[1][60, 60]


def test_a_ring_is_filled():
    found = cleaned(disc(45) & ~disc(15))[0]
    assert found[60, 60]
    assert ndimage.label(~found)[1] == 1


def test_nothing_stays_nothing():
    assert not cleaned(np.zeros((120, 120), bool)).any()
