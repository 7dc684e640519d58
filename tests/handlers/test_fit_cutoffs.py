from types import SimpleNamespace

import pytest
import torch

from monai_sfda.handlers import FitCutoffs
from monai_sfda.handlers.fit_cutoffs import GRID, best_cutoff


def dice(*rows):
    """N images whose Dice is given at 0.3 and 0.5, and 0 elsewhere."""
    table = torch.zeros(len(rows), len(GRID))
    for image, (low, half) in enumerate(rows):
        table[image, GRID.index(0.3)], table[image, GRID.index(0.5)] = low, half
    return table


def test_a_cut_off_that_serves_every_image_better_is_taken():
    assert best_cutoff(dice((0.9, 0.8), (0.8, 0.7), (0.7, 0.6), (0.8, 0.6), (0.9, 0.7))) == 0.3


def test_what_only_one_image_prefers_does_not_move_the_cut_off():
    # differences 0.3, 0, 0, 0, -0.1: mean 0.04, standard deviation 0.152, standard error 0.068
    assert best_cutoff(dice((0.9, 0.6), (0.8, 0.8), (0.7, 0.7), (0.6, 0.6), (0.5, 0.6))) == 0.5


def test_a_few_images_say_nothing_even_if_they_agree():
    assert best_cutoff(dice((0.9, 0.1))) == 0.5
    assert best_cutoff(dice(*[(0.9, 0.8)] * 4)) == 0.5
    assert best_cutoff(torch.full((3, len(GRID)), torch.nan)) == 0.5


def batch(probability, label):
    """Images of four pixels with one sigmoid channel."""
    logits = torch.tensor(probability).logit().view(-1, 1, 2, 2)
    return SimpleNamespace(
        state=SimpleNamespace(output={"pred": logits, "label": torch.tensor(label).view(-1, 1, 2, 2)})
    )


def test_a_timid_structure_is_cut_lower():
    told = {}
    fit = FitCutoffs({"cup": 0}, told.update)
    fit.reset()
    # five images hold two pixels of the structure at 0.42, the rest at 0.1: any cut-off from 0.1 to 0.4 is perfect
    fit.update(batch([0.42, 0.42, 0.1, 0.1] * 5, [1.0, 1.0, 0.0, 0.0] * 5))
    fit.finish()
    assert told["cutoff"] == {"cup": 0.4}
    assert told["images"] == 5
    assert told["dice_by_cutoff"]["cup"]["0.4"] == 1.0
    assert told["dice_by_cutoff"]["cup"]["0.05"] == pytest.approx(2 / 3, abs=1e-4)  # all four marked, two right
    assert told["dice_by_cutoff"]["cup"]["0.45"] == 0


def test_images_without_the_structure_do_not_count():
    told = {}
    fit = FitCutoffs({"cup": 0}, told.update)
    fit.reset()
    fit.update(batch([0.42, 0.42, 0.1, 0.1] * 4 + [0.6, 0.1, 0.1, 0.1], [1.0, 1.0, 0.0, 0.0] * 4 + [0.0] * 4))
    fit.finish()
    assert told["cutoff"] == {"cup": 0.5}  # four images are left, which say nothing
    assert told["dice_by_cutoff"]["cup"]["0.4"] == 1.0


def test_classes_of_a_softmax_are_fitted_from_ids():
    told = {}
    fit = FitCutoffs({"nucleus": 1}, told.update, head="softmax")
    fit.reset()
    probability = torch.tensor([0.33, 0.33, 0.1, 0.1] * 5).view(5, 1, 2, 2)
    logits = torch.cat([1 - probability, probability], 1).log()
    label = torch.tensor([1.0, 1.0, 0.0, 0.0] * 5).view(5, 1, 2, 2)
    fit.update(SimpleNamespace(state=SimpleNamespace(output={"pred": logits, "label": label})))
    fit.finish()
    assert told["cutoff"] == {"nucleus": 0.3}


def test_the_parts_of_a_volume_are_one_image():
    told = {}
    fit = FitCutoffs({"cup": 0}, told.update)
    fit.reset()
    engine = batch([0.9, 0.9, 0.1, 0.1, 0.9, 0.1, 0.1, 0.1], [1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    engine.state.batch = {"volume": ["p1", "p1"]}
    fit.update(engine)
    fit.finish()
    assert told["images"] == 1
    assert told["dice_by_cutoff"]["cup"]["0.5"] == pytest.approx(2 * 2 / (3 + 2), abs=1e-4)
