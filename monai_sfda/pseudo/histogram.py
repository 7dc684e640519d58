"""Probabilities of a whole data set, counted."""

from __future__ import annotations

import ignite.distributed as idist
import torch
from torch import Tensor

__all__ = ["BINS", "histogram", "over_processes", "probability_bin"]

BINS = 1024
# what a refiner lacks that takes numbers from the whole data set
UNFITTED = "add FitRefiners(labeller) to train_handlers, before what asks the labeller (Cached)"


def probability_bin(probs: Tensor) -> Tensor:
    """Number of the bin (i / BINS, (i + 1) / BINS] of each probability, int64; 0 is in the first, 0.5 ends a bin."""
    return ((probs * BINS).ceil().long() - 1).clamp(0, BINS - 1)


def histogram(probs: Tensor, label: Tensor, weight: Tensor) -> Tensor:
    """How many pixels there are, and the sum of their probabilities, by channel, label and bin.

    Histograms of batches add up to that of the data set; bins keep their exact mean, so means have no binning error.

    Args:
        probs: (B, K, *S) in [0, 1].
        label: (B, K, *S); above 0.5 is label 1.
        weight: (B, K, *S); pixels with weight 0 are not counted.

    Returns:
        (2, K, 2, BINS) float64 on the CPU: counts and sums, both (channel, label, bin).
    """
    channels = probs.shape[1]
    channel = torch.arange(channels, device=probs.device).view(1, -1, *[1] * (probs.ndim - 2))
    index = ((channel * 2 + (label > 0.5)) * BINS + probability_bin(probs))[weight > 0].cpu()
    values = probs[weight > 0].double().cpu()
    size = channels * 2 * BINS
    counts = torch.bincount(index, minlength=size).double()
    sums = torch.bincount(index, values, minlength=size)
    return torch.stack([counts, sums]).view(2, channels, 2, BINS)


def over_processes(sums: Tensor) -> Tensor:
    """Sums of this process -> sums of all of them, on the CPU."""
    return torch.as_tensor(idist.all_reduce(sums)).cpu()
