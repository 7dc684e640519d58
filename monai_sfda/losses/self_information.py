"""What a discriminator sees of a prediction: where, and between which classes, it is uncertain."""

from __future__ import annotations

import math
from typing import Any

from torch import Tensor

from monai_sfda.functional import check_head, log_distributions, probabilities, scaled

__all__ = ["SelfInformation", "SingleTermEntropy"]


class SelfInformation:
    r"""Weighted self-information of AdvEnt (Vu et al., CVPR 2019): :math:`I_c = -p_c \log_2 p_c / \log_2 C`.

    The sum over classes is the entropy as a share of the largest possible one. A sigmoid channel is a distribution over
    absent and present, so K channels give 2K maps. Taken from log-probabilities, so 0 and its gradient are exact where
    a class is certain; the released code adds 1e-30 instead.

    Args:
        head: ``"sigmoid"`` or ``"softmax"``.
        pred: which logits of the stream, scaled to the size of the prediction.

    Shape:
        logits (B, K, *S) -> (B, K, *S), or (B, 2K, *S) of a sigmoid head, in [0, 0.54].
    """

    def __init__(self, *, head: str = "sigmoid", pred: str = "pred") -> None:
        self.head, self.pred = check_head(head), pred

    def __call__(self, **stream: Any) -> Tensor:
        log_p = log_distributions(scaled(stream[self.pred], stream["pred"].shape[2:]), self.head)
        return (-(log_p.exp() * log_p) / math.log(log_p.shape[2])).flatten(1, 2)


class SingleTermEntropy:
    r"""The uncertainty map of BEAL's released code (Wang et al., MICCAI 2019): :math:`-p \ln(p + 10^{-7})`.

    This is one of the two terms of the binary entropy that the paper writes, so it is largest at 1/e and not at 0.5.

    Args:
        head: ``"sigmoid"`` (published) or ``"softmax"``.

    Shape:
        pred (B, K, *S) logits -> (B, K, *S) in [-1e-7, 0.368].
    """

    def __init__(self, *, head: str = "sigmoid") -> None:
        self.head = check_head(head)

    def __call__(self, *, pred: Tensor, **_: object) -> Tensor:
        probs = probabilities(pred, self.head)
        return -probs * (probs + 1e-7).log()
