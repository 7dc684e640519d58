"""Scores of a prediction that need no reference."""

from __future__ import annotations

import torch
from torch import Tensor

from monai_sfda.pieces import piece_sizes

__all__ = ["largest_component_share", "soft_dice_confidence"]


def soft_dice_confidence(probs: Tensor, masks: Tensor) -> Tensor:
    r"""Dice between a soft prediction and its own hard mask, (B, K) in [0, 1]; nan where both are empty.

    :math:`2 \sum p m / (\sum p + \sum m)` (Borges et al., arXiv 2402.10665, 2024).

    Args:
        probs: (B, K, *S) in [0, 1].
        masks: (B, K, *S) boolean or 0/1.
    """
    probs, masks = probs.flatten(2), masks.flatten(2).to(probs.dtype)
    return 2 * (probs * masks).sum(-1) / (probs.sum(-1) + masks.sum(-1))


def largest_component_share(masks: Tensor) -> Tensor:
    """Share of each mask that lies in its largest connected piece, (B, K) in (0, 1]; nan where the mask is empty."""
    shares = []
    for mask in masks.flatten(0, 1).cpu().numpy():
        sizes = piece_sizes(mask)
        shares.append(float(sizes.max() / sizes.sum()) if len(sizes) else float("nan"))
    return torch.tensor(shares).view(masks.shape[:2])
