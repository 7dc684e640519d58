from __future__ import annotations

import pytest
import torch
from monai.metrics import compute_dice

from monai_sfda.metrics import dice_score


def line(*values: int) -> torch.Tensor:
    return torch.tensor(values)[None, None]


def test_plain_dice_of_two_half_overlapping_pairs_is_one_half():
    assert dice_score(line(1, 1, 0, 0), line(0, 1, 1, 0)).item() == 0.5


def test_smoothed_dice_of_the_same_pairs_is_three_fifths():
    assert dice_score(line(1, 1, 0, 0), line(0, 1, 1, 0), smooth=1).item() == pytest.approx(0.6)


def test_one_empty_mask_gives_0_and_two_give_nan():
    empty, two = line(0, 0, 0, 0), line(0, 1, 1, 0)
    assert dice_score(empty, two).item() == 0
    assert dice_score(two, empty).item() == 0
    assert dice_score(empty, empty).isnan().all()


def test_smoothed_dice_of_empty_masks_follows_the_papers():
    empty, two = line(0, 0, 0, 0), line(0, 1, 1, 0)
    assert dice_score(empty, two, smooth=1).item() == pytest.approx(1 / 3)
    assert dice_score(empty, empty, smooth=1).item() == 1


def test_dice_agrees_with_monai_where_no_mask_is_empty():
    torch.manual_seed(0)
    pred, reference = (torch.rand(3, 2, 8, 8) > 0.5).float(), (torch.rand(3, 2, 8, 8) > 0.5).float()
    # MONAI divides in float32.
    torch.testing.assert_close(dice_score(pred, reference).float(), compute_dice(pred, reference), rtol=1e-6, atol=0)


def test_dice_does_not_change_when_the_masks_are_swapped():
    torch.manual_seed(1)
    pred, reference = torch.rand(2, 2, 4, 4, 4) > 0.5, torch.rand(2, 2, 4, 4, 4) > 0.5
    assert torch.equal(dice_score(pred, reference), dice_score(reference, pred))
