import pytest
import torch

from monai_sfda.pseudo import histogram, probability_bin


def test_bins_hold_their_upper_end():
    probs = torch.tensor([0.0, 1 / 1024, 1.5 / 1024, 0.5, 0.5 + 1e-4, 1.0])
    assert probability_bin(probs).tolist() == [0, 0, 1, 511, 512, 1023]


def test_counts_and_sums_by_channel_and_label():
    probs = torch.tensor([[[0.25, 0.75, 0.75], [1.0, 0.0, 0.5]]])
    label = torch.tensor([[[0.0, 1, 1], [1, 0, 0]]])
    counts, sums = histogram(probs, label, torch.ones_like(probs))
    assert counts.shape == (2, 2, 1024)
    assert counts.sum(2).tolist() == [[1, 2], [2, 1]]
    assert sums.sum(2).tolist() == [[0.25, 1.5], [0.5, 1.0]]
    assert counts[0, 1, probability_bin(torch.tensor(0.75))] == 2


def test_ignored_pixels_are_not_counted():
    probs = torch.rand(1, 1, 10)
    weight = torch.tensor([0.0] * 4 + [0.5] * 6).view(1, 1, 10)
    assert histogram(probs, probs, weight)[0].sum() == 6
    assert histogram(probs, probs, 0 * weight).abs().sum() == 0


def test_batches_add_up_to_the_data_set():
    probs = torch.rand(6, 2, 5, 5, generator=torch.Generator().manual_seed(0))
    weight = torch.ones_like(probs)
    whole = histogram(probs, probs, weight)
    halves = histogram(probs[:2], probs[:2], weight[:2]) + histogram(probs[2:], probs[2:], weight[2:])
    assert torch.equal(whole[0], halves[0])
    # Sums in another order, in float64.
    assert float((whole[1] - halves[1]).abs().max()) == pytest.approx(0, abs=1e-12)
