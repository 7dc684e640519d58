"""The supervised loss of MPSCL on labelled source images: rare classes count more, plus Dice."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from monai_sfda.functional import check_head, distributions, log_distributions

__all__ = ["WeightedCrossEntropyDice"]


class WeightedCrossEntropyDice(nn.Module):
    r"""Class-weighted cross-entropy plus Dice, as in the released code of MPSCL (Liu et al., JBHI 2022).

    The weight of a class is 1 less its share of the pixels of the batch, and the sum is divided by the weights. Dice is
    :math:`1 - \mathrm{mean}_{ik}\, 2\sum pg / (\sum p^2 + \sum g^2 + 10^{-5})` over images and classes, the background
    included; a class that an image does not show adds 1 / K, whatever is predicted. A sigmoid channel is a distribution
    over absent and present.

    Departs: a batch of one class only gives a cross-entropy of 0, where the code divides 0 by 0.

    Args:
        head: ``"sigmoid"`` or ``"softmax"``.

    Shape:
        pred (B, K, *S) logits, label (B, K, *S) of 0 and 1; result ().
    """

    def __init__(self, *, head: str = "sigmoid") -> None:
        super().__init__()
        self.head = check_head(head)

    def forward(self, *, pred: Tensor, label: Tensor, **_: object) -> Tensor:
        log_p = log_distributions(pred, self.head).flatten(3)
        true = distributions(label.to(log_p.dtype), self.head).flatten(3)
        return self.cross_entropy(log_p, true) + self.dice(log_p.exp(), true)

    @staticmethod
    def cross_entropy(log_p: Tensor, true: Tensor) -> Tensor:
        """(B, G, C, N) log-probabilities and labels -> ()."""
        counts = true * (1 - true.mean((0, 3), keepdim=True))
        total = counts.sum((0, 2, 3))
        return ((-counts * log_p).sum((0, 2, 3)) / torch.where(total > 0, total, 1)).mean()

    @staticmethod
    def dice(probs: Tensor, true: Tensor) -> Tensor:
        """(B, G, C, N) probabilities and labels -> ()."""
        overlap = 2 * (probs * true).sum(3)
        return 1 - (overlap / (probs.square().sum(3) + true.square().sum(3) + 1e-5)).mean()
