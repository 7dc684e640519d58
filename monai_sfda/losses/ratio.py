"""Compare the predicted share of each class in an image with a prior."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from monai_sfda.functional import check_head, distributions, log_distributions
from monai_sfda.losses.prior import RatioPrior

__all__ = ["ClassRatioPrior", "log_class_ratio"]

LEAST_PRIOR = 1e-10


def log_class_ratio(log_p: Tensor, estimator: str) -> Tensor:
    r"""Logarithm of the share of each class, (..., C), from log-probabilities (..., C, N) of N pixels.

    ``"mean"`` is :math:`\hat\tau_k = \frac1N \sum p_k`, as the papers write it. ``"released"`` first divides each pixel
    by its largest probability, so that the winning class counts fully, and normalises over classes afterwards, as the
    authors' code does. Both give the hard proportions for one-hot predictions.
    """
    if estimator == "released":
        log_p = log_p - log_p.amax(-2, keepdim=True)
    return log_p.logsumexp(-1).log_softmax(-1)


class ClassRatioPrior(nn.Module):
    r"""Kullback-Leibler divergence in nats between predicted class ratio :math:`\hat\tau` and prior :math:`\tau_e`.

    Says how much, never where: it keeps entropy minimisation from giving every pixel to the largest class.

    With a sigmoid head each channel is a ratio of its own, absent against present, and the result is the mean over
    channels; exclusive classes (background, rim, cup) are not formed from nested disc and cup, because "in the disc but
    not in the cup" has no probability of its own where the network predicts a cup outside the disc.

    Departs: the released code adds 1e-10 inside both logarithms; here the prior is at least 1e-10 and the predicted
    ratio is kept as a logarithm, so that a class that is all but lost still has a gradient.

    Args:
        prior: case -> expected ratio.
        direction: ``"predicted"`` is :math:`KL(\hat\tau \| \tau_e)` (AdaMI, Bateson et al., MedIA 2022), ``"prior"``
            :math:`KL(\tau_e \| \hat\tau)` (AdaEnt, Bateson et al., MICCAI 2020), without bound for a lost class.
        estimator: ``"released"`` or ``"mean"``, see `log_class_ratio`. # Departs: default is the code's.
        per: ``"image"`` compares each image and takes the mean (released); ``"batch"`` compares the pixels of the whole
            batch with the mean of its priors, which leaves room for sizes that vary.
        head: ``"sigmoid"`` or ``"softmax"``.

    Shape:
        pred (B, K, *S) logits; prior (B, K) in [0, 1], a share of all pixels per channel, which add up to 1 with a
        softmax head; result ().
    """

    def __init__(
        self,
        *,
        prior: RatioPrior,
        direction: str = "predicted",
        estimator: str = "released",
        per: str = "image",
        head: str = "sigmoid",
    ) -> None:
        super().__init__()
        if direction not in ("predicted", "prior"):
            raise ValueError(f"Expected direction 'predicted' (AdaMI) or 'prior' (AdaEnt), found {direction!r}.")
        if estimator not in ("mean", "released"):
            raise ValueError(f"Expected estimator 'mean' or 'released', found {estimator!r}.")
        if per not in ("image", "batch"):
            raise ValueError(f"Expected per 'image' or 'batch', found {per!r}.")
        self.prior, self.direction, self.estimator, self.per = prior, direction, estimator, per
        self.head = check_head(head)

    def forward(self, *, pred: Tensor, case: Sequence[str], **_: object) -> Tensor:
        log_p = log_distributions(pred, self.head).flatten(3)
        expected = self._expected(pred, case)
        if self.per == "batch":
            log_p, expected = torch.cat(list(log_p), -1), expected.mean(0)
        ratio = log_class_ratio(log_p, self.estimator)
        log_expected = expected.clamp_min(LEAST_PRIOR).log()
        if self.direction == "predicted":
            return (ratio.exp() * (ratio - log_expected)).sum(-1).mean()
        return (expected * (log_expected - ratio)).sum(-1).mean()

    def _expected(self, pred: Tensor, case: Sequence[str]) -> Tensor:
        """Prior as (B, G, C).

        Raises:
            ValueError: if it does not fit the channels, or with a softmax head does not add up to 1.
        """
        expected = self.prior(case).to(pred.device, torch.float32)
        if expected.shape != pred.shape[:2]:
            raise ValueError(
                f"Expected a class ratio for each of {pred.shape[1]} channels, found {expected.shape[1]}; give a prior "
                "that fits the network's head."
            )
        total = expected.sum(1)
        if self.head == "softmax" and not torch.allclose(total, torch.ones_like(total), atol=1e-4):
            raise ValueError(
                f"Expected class ratios that add up to 1 with head='softmax', found the sum {float(total[0]):.4g}; "
                "divide them by their sum, and include the background."
            )
        return distributions(expected, self.head)
