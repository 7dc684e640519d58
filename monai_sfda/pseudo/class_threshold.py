"""A cut-off for each channel, from the data set."""

from __future__ import annotations

import logging

import torch
from torch import Tensor

from monai_sfda.functional import check_head, decide
from monai_sfda.protocols import Evidence, PseudoLabel
from monai_sfda.pseudo.histogram import UNFITTED, histogram, over_processes

__all__ = ["ClassThreshold", "class_thresholds"]

logger = logging.getLogger(__name__)
MEAN, MEDIAN = "mean", "median"


def class_thresholds(counts: Tensor, sums: Tensor, *, statistic: str = MEAN) -> Tensor:
    """Typical probability of class 0 and of class 1 among the pixels that are given to it at 0.5; NaN without any.

    Args:
        counts, sums: (K, 2, BINS) of ``histogram`` with the label p > 0.5.
        statistic: ``"mean"``, exact, or ``"median"``, the mean of the bin that holds it.

    Returns:
        (K, 2) in [0.5, 1].
    """
    total, sum_ = counts.sum(2), sums.sum(2)
    if statistic == MEDIAN:
        middle = (counts.cumsum(2) >= total[..., None] / 2).int().argmax(2, keepdim=True)
        total, sum_ = counts.gather(2, middle)[..., 0], sums.gather(2, middle)[..., 0]
    typical = sum_ / total
    return torch.stack([1 - typical[:, 0], typical[:, 1]], 1)


class ClassThreshold:
    r"""Hard labels with a threshold for each channel and class: the coarse denoising of U-D4R, a reconstruction.

    Threshold :math:`t_k` is the mean (or median) probability of class k among the pixels given to k at 0.5, over all
    images. A pixel is 1 where :math:`p > t_1`, 0 where :math:`1 - p > t_0`, else the class with the larger ratio of
    probability to threshold. As no threshold is below 0.5, that is one cut-off :math:`t_1 / (t_0 + t_1)`: a class
    that the network is timid about gets a lower one. With a softmax head a pixel belongs to the class with the largest
    ratio of probability to :math:`t_1`; for two classes that is the same.

    Reconstructed from the abstract of Xu et al., Denoising for Relaxing, MICCAI 2022; the paper's formula is unknown.
    Needs ``FitRefiners``. A class that no pixel is given to has no threshold, and a warning says so: a sigmoid channel
    is then cut at 0.5, a softmax class is given the largest threshold of the others, which for two is the same.

    Args:
        statistic: ``"mean"`` or ``"median"``.
        head: ``"sigmoid"`` or ``"softmax"``.

    Attributes:
        cutoffs: (K,) of the channels, once fitted; for softmax the thresholds :math:`t_1`.
    """

    def __init__(self, *, statistic: str = MEAN, head: str = "sigmoid") -> None:
        if statistic not in (MEAN, MEDIAN):
            raise ValueError(f"Expected statistic to be 'mean' or 'median', found {statistic!r}.")
        self.statistic, self.head = statistic, check_head(head)
        self.cutoffs: Tensor | None = None
        self._seen = torch.zeros(())

    def study(self, pseudo: PseudoLabel, evidence: Evidence) -> None:
        self._seen = self._seen + histogram(evidence.probs, evidence.probs, pseudo.weight)

    def fit(self) -> None:
        """Turn what was seen into cut-offs, and forget it."""
        counts, sums = over_processes(self._seen)
        self._seen = torch.zeros(())
        thresholds = class_thresholds(counts, sums, statistic=self.statistic)
        if self.head == "sigmoid":
            for channel, kind in thresholds.isnan().nonzero().tolist():
                logger.warning("No pixel of channel %d is assigned to class %d: its cut-off is 0.5.", channel, kind)
            self.cutoffs = (thresholds[:, 1] / thresholds.sum(1)).nan_to_num(0.5)
        else:
            mine = thresholds[:, 1]
            for channel in mine.isnan().nonzero().flatten().tolist():
                logger.warning("No pixel is assigned to class %d: its threshold is the largest of the others.", channel)
            self.cutoffs = mine.where(mine.isfinite(), mine.nan_to_num(0.5).max())
        logger.info("Cut-offs of the channels: %s.", [round(c, 3) for c in self.cutoffs.tolist()])

    def __call__(self, pseudo: PseudoLabel, evidence: Evidence) -> PseudoLabel:
        """Raises ValueError: if it was not fitted."""
        if self.cutoffs is None:
            raise ValueError(f"Expected fitted class thresholds, found none; {UNFITTED}.")
        probs = evidence.probs
        cutoffs = self.cutoffs.to(probs).view(-1, *[1] * (probs.ndim - 2))
        return pseudo._replace(label=decide(probs / cutoffs, self.head, 1.0).to(probs.dtype))
