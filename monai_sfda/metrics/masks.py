"""Check the input of every score: two stacks of binary masks."""

from __future__ import annotations

import torch
from monai.utils import convert_to_tensor
from torch import Tensor

__all__ = ["binary_masks"]


def binary_masks(pred: Tensor, reference: Tensor) -> tuple[Tensor, Tensor]:
    """Return prediction and reference, both (B, K, *S) with values 0 or 1, as plain boolean tensors.

    Raises:
        ValueError: if the shapes differ, there is no image axis, or a value is neither 0 nor 1.
    """
    if pred.shape != reference.shape or pred.ndim < 3:
        raise ValueError(
            "Expected prediction and reference of one shape (B, K, *S), found "
            f"{tuple(pred.shape)} and {tuple(reference.shape)}; bring both to the same grid and channels."
        )
    return _boolean(pred, "prediction"), _boolean(reference, "reference")


def _boolean(mask: Tensor, name: str) -> Tensor:
    mask = convert_to_tensor(mask, track_meta=False).detach()
    if not ((mask == 0) | (mask == 1)).all():
        raise ValueError(
            f"Expected a {name} of 0 and 1, found values from {mask.min().item():g} to {mask.max().item():g}; "
            "threshold probabilities, and split class ids into one channel per structure."
        )
    return mask.to(torch.bool)
