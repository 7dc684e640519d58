"""The drawn pelvis: one prostate, before the rectum, under two coils that show it differently."""

import numpy as np
import pytest
from scipy import ndimage

from monai_sfda.organs.phantoms import grid
from monai_sfda.organs.prostate import ACQUISITIONS, draw_prostate
from monai_sfda.organs.prostate.acquisitions import SHAPE, SPACING, coil_field
from monai_sfda.organs.prostate.anatomy import TISSUES, draw_pelvis, rectum_middle


@pytest.mark.parametrize("acquisition", ACQUISITIONS)
def test_the_same_patient_is_drawn_again_and_others_differ(acquisition):
    first, again, other, later = (
        draw_prostate(index, acquisition=acquisition, seed=seed) for index, seed in ((0, 0), (0, 0), (1, 0), (0, 1))
    )
    assert np.array_equal(first.image, again.image)
    assert np.array_equal(first.mask, again.mask)
    assert not any(np.array_equal(first.mask, one.mask) for one in (other, later))


@pytest.mark.parametrize("acquisition", ACQUISITIONS)
@pytest.mark.parametrize("index", range(4))
def test_there_is_one_whole_prostate_of_a_likely_size(acquisition, index):
    phantom = draw_prostate(index, acquisition=acquisition)
    assert phantom.image.shape == phantom.mask.shape == SHAPE
    assert phantom.image.min() >= 0
    assert ndimage.label(phantom.mask)[1] == 1
    assert 15 < phantom.mask.sum() * np.prod(SPACING) / 1000 < 90  # ml
    assert not phantom.mask[[0, -1]].any()
    assert not phantom.mask[:, [0, -1]].any()


def test_the_balloon_moves_the_prostate_to_the_front_and_flattens_it():
    places = grid(SHAPE, SPACING) * np.array([1, -1, 1], np.float32)[:, None, None, None]
    depth, middle = {}, {}
    for balloon in (False, True):
        tissue = draw_pelvis(np.random.default_rng(3), places, balloon=balloon)
        prostate = np.isin(tissue, [TISSUES.index("central"), TISSUES.index("peripheral")])
        rows = places[1][prostate]
        depth[balloon], middle[balloon] = np.ptp(rows), rows.mean()
    assert middle[True] < middle[False] - 2
    assert depth[True] <= depth[False]


def test_the_endorectal_coil_is_bright_beside_itself_and_less_noisy():
    body, coil = (draw_prostate(0, acquisition=name).image.astype(float) for name in ACQUISITIONS)
    assert coil.max() / np.percentile(coil, 90) > 1.1 * body.max() / np.percentile(body, 90)
    places = grid(SHAPE, SPACING) * np.array([1, -1, 1], np.float32)[:, None, None, None]
    field = coil_field(places, np.random.default_rng(0))
    assert field.max() / field.min() > 2
    assert rectum_middle(0) - 15 < places[1][field == field.max()].mean() < rectum_middle(0)  # within the balloon
    assert coil[:4, :4].std() < body[:4, :4].std() / 2


def test_another_coil_is_refused():
    with pytest.raises(ValueError, match="Expected an acquisition out of body, endorectal, found 'surface'"):
        draw_prostate(0, acquisition="surface")
