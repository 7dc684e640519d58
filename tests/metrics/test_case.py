from __future__ import annotations

import math

import pytest
import torch

from monai_sfda.metrics import MEASURES, score_case


def two_structures() -> tuple[torch.Tensor, torch.Tensor]:
    """Disc: one pixel against two (0 and 4 away); cup: nothing predicted against one pixel."""
    pred, reference = torch.zeros(2, 1, 5), torch.zeros(2, 1, 5)
    pred[0, 0, 0] = 1
    reference[0, 0, [0, 4]] = 1
    reference[1, 0, 2] = 1
    return pred, reference


def test_every_measure_of_a_structure_is_named_and_right():
    scores = score_case(*two_structures(), structures=["disc", "cup"])
    assert scores["disc"] == pytest.approx(
        {
            "dice": 2 / 3,
            "dice_smoothed": 3 / 4,
            "assd_pooled": 4 / 3,
            "assd_mean_of_directed": 1,
            "hd95": 0.95 * 4,
            "pred_area": 1,
            "reference_area": 2,
            "empty_pred": False,
            "empty_reference": False,
            "missed": False,
        }
    )
    assert set(scores["disc"]) == set(MEASURES)


def test_without_the_size_of_a_voxel_there_is_no_distance():
    disc = score_case(*two_structures(), structures=["disc", "cup"], spacing=None)["disc"]
    assert all(math.isnan(disc[name]) for name in ("assd_pooled", "assd_mean_of_directed", "hd95"))
    assert disc["dice"] == 2 / 3


def test_a_missed_structure_scores_0_and_has_no_distance():
    cup = score_case(*two_structures(), structures=["disc", "cup"])["cup"]
    assert cup["dice"] == 0
    assert math.isnan(cup["assd_pooled"])
    assert cup["empty_pred"] is True
    assert cup["empty_reference"] is False
    assert cup["missed"] is True


def test_nothing_is_missed_where_there_is_nothing():
    nothing = torch.zeros(1, 2, 2)
    assert score_case(nothing, nothing, structures=["cup"])["cup"]["missed"] is False


def test_spacing_reaches_the_distances():
    scores = score_case(*two_structures(), structures=["disc", "cup"], spacing=(1.0, 0.5))
    assert scores["disc"]["assd_mean_of_directed"] == 0.5


def test_channels_must_match_the_structures():
    label_map = torch.tensor([[[0, 1, 2]]])
    with pytest.raises(ValueError, match=r"2 channels \(disc, cup\), found shape \(1, 1, 3\)"):
        score_case(label_map, label_map, structures=["disc", "cup"])
