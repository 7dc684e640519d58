"""Overlap of two masks."""

from __future__ import annotations

from torch import Tensor

from monai_sfda.metrics.masks import binary_masks

__all__ = ["dice_score"]


def dice_score(pred: Tensor, reference: Tensor, *, smooth: float = 0.0) -> Tensor:
    r"""Dice overlap of each case and structure, in [0, 1].

    .. math:: (2|P \cap G| + s) \,/\, (|P| + |G| + s)

    Plain (``smooth=0``): one mask empty gives 0, both empty give nan, for there is nothing to compare. MONAI's
    ``DiceMetric`` skips every empty reference instead, and so does not see what is predicted where nothing is.
    With ``smooth=1`` it is the figure of the DPL and CBMT tables (their released evaluation): one mask empty
    gives a little more than 0, both empty give 1.

    Args:
        pred: (B, K, *S), 0 or 1; the first channel counts like any other.
        reference: (B, K, *S), 0 or 1.
        smooth: s, pixels added to both sides of the fraction.

    Returns:
        (B, K) float64.

    Raises:
        ValueError: if the masks do not fit each other or are not binary.
    """
    pred, reference = binary_masks(pred, reference)
    shared = (pred & reference).flatten(2).sum(-1).double()
    total = (pred.flatten(2).sum(-1) + reference.flatten(2).sum(-1)).double()
    return (2 * shared + smooth) / (total + smooth)
