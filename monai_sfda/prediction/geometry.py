"""Numbers from a label map that every task has: areas and pieces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from monai_sfda.pieces import pieces

__all__ = ["measure_mask", "structure_masks"]


def structure_masks(
    ids: np.ndarray, classes: Mapping[int, str], inside: Mapping[int, Sequence[int]]
) -> dict[str, np.ndarray]:
    """Name -> mask (H, W) of each structure of a label map, with what lies ``inside`` it, see `Findings`."""
    masks = {number: ids == number for number in classes}
    for number, others in inside.items():
        for other in others:
            masks[number] |= ids == other
    return {name: masks[number] for number, name in classes.items()}


def measure_mask(masks: Mapping[str, np.ndarray], spacing: Sequence[float] | None = None) -> dict[str, Any]:
    """Areas and pieces of each structure that `docs/columns.md` lists; None where a number has no meaning.

    Args:
        masks: name -> mask (H, W).
        spacing: height and width of a pixel in mm, where known.
    """
    row: dict[str, Any] = {}
    for name, mask in masks.items():
        column = name.replace(" ", "_")
        area = int(np.count_nonzero(mask))
        row[f"{column}_pixels"] = area
        if spacing is not None:
            row[f"{column}_mm2"] = area * float(spacing[0]) * float(spacing[1])
        row[f"{column}_pieces"], row[f"{column}_largest_piece"] = pieces(mask)
    return row
