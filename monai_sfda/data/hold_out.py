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

    Raises:
        ValueError: if there are fewer than two items, or ``share`` is out of range.
    """
    if len(items) < 2 or not 0 < share < 1:
        raise ValueError(
            f"Expected at least two labelled images and a share in (0, 1), found {len(items)} and {share}: one part "
            "is for training, the other for choosing the epoch."
        )
    count = max(1, len(items) - round(len(items) * (1 - share)))
    return partition_dataset(items, ratios=[len(items) - count, count], shuffle=True, seed=0)
