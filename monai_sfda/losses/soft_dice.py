"""Soft Dice against pseudo-labels."""

from __future__ import annotations

from torch import Tensor, nn

from monai_sfda.functional import check_head, probabilities, soft_dice
from monai_sfda.protocols import PseudoLabel

__all__ = ["SoftDiceLoss"]


class SoftDiceLoss(nn.Module):
    """One minus the soft Dice of prediction and pseudo-label, mean over images and channels (background included).

    MONAI's `DiceLoss` knows no pixel weights and, by its smoothing, rewards an empty prediction of an empty label.
    Where no weight is left the value is 1 and the gradient 0.

    Args:
        head: ``"sigmoid"`` or ``"softmax"``.

    Shape:
        pred (B, K, *S) logits; pseudo.label and pseudo.weight (B, K, *S); result ().
    """

    def __init__(self, *, head: str = "sigmoid") -> None:
        super().__init__()
        self.head = check_head(head)

    def forward(self, *, pred: Tensor, pseudo: PseudoLabel, **_: object) -> Tensor:
        return 1 - soft_dice(probabilities(pred, self.head), pseudo.label, pseudo.weight).mean()
