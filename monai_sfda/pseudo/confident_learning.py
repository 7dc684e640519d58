"""Find label errors by confident learning and correct them softly."""

from __future__ import annotations

import logging
import math

import torch
from torch import Tensor

from monai_sfda.protocols import Evidence, PseudoLabel
from monai_sfda.pseudo.cached import CachedEvidence
from monai_sfda.pseudo.histogram import BINS, UNFITTED, histogram, over_processes, probability_bin

__all__ = ["ConfidentCorrection", "certainty", "confident_joint", "error_bins"]

logger = logging.getLogger(__name__)
ROUNDING = 1e-9  # a mean of equal numbers may exceed them by as much


def certainty(probs: Tensor) -> Tensor:
    r""":math:`1 - H(p) / \ln 2` in [0, 1]: 0 at 0.5, 1 at 0 and at 1."""
    return 1 + (torch.xlogy(probs, probs) + torch.xlogy(1 - probs, 1 - probs)) / math.log(2)


def confident_joint(counts: Tensor, sums: Tensor) -> Tensor:
    r"""Joint distribution of observed and true labels of each channel, by confident learning (Northcutt et al., 2021).

    A pixel is counted as truly j if :math:`P(j) \ge \tau_j`, the mean P(j) of the pixels observed as j; if that holds
    for both classes, as the likelier one. Rows are then scaled to the observed counts; a row without a confident pixel
    is taken as free of errors.

    Args:
        counts, sums: (K, 2, BINS) of ``histogram`` with the observed labels.

    Returns:
        (K, 2, 2) observed x true; each channel sums to 1.
    """
    observed = counts.sum(2)
    mean = sums.sum(2) / observed
    foreground = sums / counts
    is_zero = 1 - foreground >= (1 - mean[:, 0] - ROUNDING)[:, None, None]
    is_one = foreground >= (mean[:, 1] - ROUNDING)[:, None, None]
    kept_on_tie = torch.tensor([False, True]).view(1, 2, 1) & (foreground == 0.5)
    is_one &= ~is_zero | (foreground > 0.5) | kept_on_tie
    confident = torch.stack([counts * (is_zero & ~is_one), counts * is_one], 3).sum(2)
    rows = confident.sum(2, keepdim=True)
    confident = torch.where(rows > 0, confident / rows, torch.eye(2, dtype=counts.dtype))
    joint = confident * observed[..., None]
    return joint / joint.sum((1, 2), keepdim=True)


def error_bins(counts: Tensor, joint: Tensor) -> Tensor:
    """Where label errors begin, so that as many pixels are flagged as the joint says, to the nearest bin.

    Flagged are the pixels observed as 0 with the largest P(1) and those observed as 1 with the smallest ("prune by
    noise rate"; for two classes "prune by class" flags the same ones).

    Returns:
        (K, 2) int64: label 0 is flagged from the first of these bins on, label 1 before the second.
    """
    errors = torch.stack([joint[:, 0, 1], joint[:, 1, 0]], 1) * counts.sum((1, 2))[:, None]
    from_top = torch.stack([counts[:, 0].flip(1), counts[:, 1]], 1)
    flagged = torch.nn.functional.pad(from_top.cumsum(2), (1, 0))
    bins = (flagged - errors[..., None]).abs().argmin(2)
    return torch.stack([BINS - bins[:, 0], bins[:, 1]], 1)


class ConfidentCorrection:
    r"""Move likely label errors towards the other class and weight by certainty: the fine denoising of U-D4R.

    :math:`y' = (1 - r)\,y + r\,(1 - y)` on flagged pixels with :math:`r = 1 - H(p) / \ln 2`, so a certain error is
    turned round and an uncertain one hardly moved; weights are multiplied by the same certainty.

    A reconstruction from the abstract of Xu et al., Denoising for Relaxing, MICCAI 2022. Needs ``FitRefiners``.
    The labels must not be a cut-off of the very probabilities that judge them, for then no error is ever found:
    :math:`\tau_j`, a mean over one side of the cut-off, is out of reach from the other side. So the judge is a second
    opinion, such as the mean of stochastic passes on labels from the network in evaluation mode. Each channel is judged
    by itself: with a softmax head over more than two classes the labels of a corrected pixel need not sum to 1.

    Args:
        opinion: whose probabilities judge the labels; None takes those of the labeller's own observer.
        rate: fixed r in [0, 1] instead of the certainty.
        weigh: whether to weight by certainty.
    """

    def __init__(self, *, opinion: CachedEvidence | None = None, rate: float | None = None, weigh: bool = True) -> None:
        if rate is not None and not 0 <= rate <= 1:
            raise ValueError(f"Expected a rate between 0 (keep) and 1 (invert), found {rate}.")
        self.opinion, self.rate, self.weigh = opinion, rate, weigh
        self._seen = torch.zeros(())
        self._bins: Tensor | None = None

    def study(self, pseudo: PseudoLabel, evidence: Evidence) -> None:
        self._seen = self._seen + histogram(self._judge(evidence), pseudo.label, pseudo.weight)

    def fit(self) -> None:
        """Turn what was seen into the bins of errors, and forget it."""
        counts, sums = over_processes(self._seen)
        self._seen = torch.zeros(())
        joint = confident_joint(counts, sums)
        self._bins = error_bins(counts, joint)
        for channel, share in enumerate((joint[:, 0, 1] + joint[:, 1, 0]).tolist()):
            logger.info("Channel %d: %.2f %% of the labels are treated as errors.", channel, 100 * share)
            if share == 0:
                logger.warning("Expected label errors in channel %d, found none: its labels stay as they are.", channel)

    def __call__(self, pseudo: PseudoLabel, evidence: Evidence) -> PseudoLabel:
        """Raises ValueError: if it was not fitted."""
        if self._bins is None:
            raise ValueError(f"Expected a fitted joint distribution, found none; {UNFITTED}.")
        probs = self._judge(evidence)
        sure = certainty(probs)
        rate = sure if self.rate is None else self.rate
        label = torch.where(self._flagged(pseudo.label, probs), pseudo.label.lerp(1 - pseudo.label, rate), pseudo.label)
        return PseudoLabel(label, pseudo.weight * sure if self.weigh else pseudo.weight)

    def _judge(self, evidence: Evidence) -> Tensor:
        if self.opinion is None:
            return evidence.probs
        return self.opinion.recall(evidence.case, evidence.probs.device).probs

    def _flagged(self, label: Tensor, probs: Tensor) -> Tensor:
        assert self._bins is not None
        shape = (-1, *[1] * (probs.ndim - 2))
        zero_from, one_before = (bins.view(shape) for bins in self._bins.to(probs.device).T)
        number = probability_bin(probs)
        return torch.where(label > 0.5, number < one_before, number >= zero_from)
