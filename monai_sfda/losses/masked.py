"""Cross-entropy against weighted pseudo-labels: with the weights of CBMT, its Eq. (6)."""

from __future__ import annotations

from torch import Tensor, nn

from monai_sfda.functional import binary_cross_entropy, check_head, weighted_mean
from monai_sfda.protocols import PseudoLabel

__all__ = ["MaskedBCE"]


class MaskedBCE(nn.Module):
    """Mean binary cross-entropy over the pixels that count: ``sum(W * BCE) / sum(W)`` over batch, channels and pixels.

    With a softmax head each channel is taken against the rest, which for two classes is the ordinary cross-entropy.
    An all-zero weight gives 0 with a graph. With the weights of `monai_sfda.pseudo.BalanceBackground` this is the
    calibrated loss of CBMT (Tang et al., MICCAI 2023, Eq. (6)).

    Args:
        head: ``"sigmoid"`` or ``"softmax"``.
        normaliser: ``"weights"`` divides by sum(W), as the released CBMT and DPL code does; ``"pixels"`` divides by
            the number of pixels, as the CBMT paper writes it. # Departs: default is the code's.

    Shape:
        pred (B, K, *S) logits; pseudo.label and pseudo.weight (B, K, *S); result ().
    """

    def __init__(self, *, head: str = "sigmoid", normaliser: str = "weights") -> None:
        super().__init__()
        if normaliser not in ("weights", "pixels"):
            raise ValueError(f"Expected normaliser 'weights' or 'pixels', found {normaliser!r}.")
        self.head, self.normaliser = check_head(head), normaliser

    def forward(self, *, pred: Tensor, pseudo: PseudoLabel, **_: object) -> Tensor:
        # Eq. (6) of CBMT, if the weights are those of `BalanceBackground`
        loss = binary_cross_entropy(pred, pseudo.label, self.head)
        return weighted_mean(loss, pseudo.weight) if self.normaliser == "weights" else (pseudo.weight * loss).mean()
