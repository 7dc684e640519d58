"""Labelled items for training and for choosing its epoch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from monai.data import partition_dataset

__all__ = ["hold_out"]


def hold_out(items: Sequence[Any], share: float) -> list[list[Any]]:
    """Split items at random, the same way each time, into those to learn from and those to validate on.

    Args:
        items: at least two.
        share: of the items to validate on, in (0, 1); one item at least, for without any no weights are kept.

    Returns:
        Two lists.
    """
    count = max(1, len(items) - round(len(items) * (1 - share)))
    return partition_dataset(items, ratios=[len(items) - count, count], shuffle=True, seed=0)
