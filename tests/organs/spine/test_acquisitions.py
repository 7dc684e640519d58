"""The drawn spine: seven discs between vertebrae, of which fat shows in one contrast only."""

import numpy as np
import pytest
from scipy import ndimage

from monai_sfda.organs.phantoms import grid
from monai_sfda.organs.spine import ACQUISITIONS, draw_spine
from monai_sfda.organs.spine.acquisitions import FAT, SHAPE, SPACING, WATER
from monai_sfda.organs.spine.anatomy import DISCS, TISSUES, draw_spine_tissue


@pytest.mark.parametrize("acquisition", ACQUISITIONS)
def test_the_same_patient_is_drawn_again_and_others_differ(acquisition):
    first, again, other, later = (
        draw_spine(index, acquisition=acquisition, seed=seed) for index, seed in ((0, 0), (0, 0), (1, 0), (0, 1))
    )
    assert np.array_equal(first.image, again.image)
    assert np.array_equal(first.mask, again.mask)
    assert not any(np.array_equal(first.mask, one.mask) for one in (other, later))


@pytest.mark.parametrize("acquisition", ACQUISITIONS)
@pytest.mark.parametrize("index", range(4))
def test_there_are_seven_discs_one_above_the_other(acquisition, index):
    phantom = draw_spine(index, acquisition=acquisition)
    assert phantom.image.shape == phantom.mask.shape == SHAPE
    assert phantom.image.min() >= 0
    pieces, count = ndimage.label(phantom.mask)
    assert count == DISCS
    heights = [place[2] for place in ndimage.center_of_mass(phantom.mask, pieces, range(1, count + 1))]
    assert np.diff(sorted(heights)).min() * SPACING[2] > 20
    assert not phantom.mask[..., [0, -1]].any()


def test_marrow_comes_nearer_to_the_discs_in_phase_and_the_fat_under_the_skin_as_bright_as_they():
    tissue = draw_spine_tissue(np.random.default_rng(0), grid(SHAPE, SPACING))
    assert {"disc", "marrow", "skin fat", "cord", "fluid", "muscle"} <= {
        TISSUES[number] for number in np.unique(tissue)
    }
    water, in_phase = WATER, {name: WATER[name] + FAT.get(name, 0) for name in WATER}
    assert water["disc"] / water["marrow"] > 2
    assert in_phase["disc"] / in_phase["marrow"] < 1.8
    assert water["skin fat"] == min(value for name, value in water.items() if name != "air")
    assert in_phase["skin fat"] == pytest.approx(in_phase["disc"], rel=0.1)


def test_another_contrast_is_refused():
    with pytest.raises(ValueError, match="Expected an acquisition out of water, in_phase, found 'fat'"):
        draw_spine(0, acquisition="fat")
