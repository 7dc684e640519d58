"""Shares of the pixels that structures take in masks, as training sees the masks."""

import pytest
from bundle_support import ROOT, write_images
from PIL import Image

from monai_sfda.data import find_pairs
from monai_sfda.organs.fundus.simulated.cameras import CAMERAS
from monai_sfda.organs.fundus.simulated.full_photograph import simulate_full
from monai_sfda.training import class_ratios

FUNDUS = ROOT / "bundles" / "fundus_disc_cup"


def test_class_ratios_of_full_photographs_are_those_of_the_cut(tmp_path):
    photo = simulate_full(0, camera=CAMERAS["source"], height=480)
    for name, pixels in (("image", photo.image), ("mask", photo.mask)):
        (tmp_path / name).mkdir()
        Image.fromarray(pixels).save(tmp_path / name / "a.png")
    ratios = class_ratios(find_pairs(tmp_path), {"disc": [1, 2], "cup": [2]}, FUNDUS).ratios
    # The cut is 2.1 diameters wide: a round disc takes pi / 4 / 2.1^2 of it.
    assert ratios["disc"] == pytest.approx(0.18, abs=0.04)
    assert (photo.mask > 0).mean() < 0.03


def test_class_ratios_by_hand(tmp_path):
    labelled = write_images(tmp_path, 1, classes=2, size=(64, 64))
    ratios, spread, images = class_ratios(find_pairs(labelled), {"disc": [1, 2], "cup": [2]}, tmp_path)
    assert (images, spread) == (1, {"disc": 0, "cup": 0})
    # discs of radius 20 and 9 in 64 x 64 pixels; the count of pixels is within a pixel of the border's length
    assert ratios["disc"] == pytest.approx(3.14159 * 20**2 / 64**2, abs=0.01)
    assert ratios["cup"] == pytest.approx(3.14159 * 9**2 / 64**2, abs=0.01)
