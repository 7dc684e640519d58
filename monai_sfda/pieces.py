"""Connected pieces of a mask, and the box around it."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

__all__ = ["PIECES_SIZE", "bounding_box", "largest_piece", "pieces"]

PIECES_SIZE = 512
"""Sides of larger masks are thinned out to this before their pieces are counted."""

CORNERS = np.ones((3, 3))  # pixels that touch at a corner are connected


def pieces(mask: np.ndarray) -> tuple[int, float | None]:
    """Number of connected pieces of a mask (H, W) and the share of its pixels in the largest, None if it is empty."""
    down, across = (max(1, -(-side // PIECES_SIZE)) for side in mask.shape)
    thinned = mask[::down, ::across]
    labels, count = ndimage.label(thinned if thinned.any() else mask, CORNERS)
    if count <= 1:
        return count, 1.0 if count else None
    sizes = np.bincount(labels.ravel())[1:]
    return count, float(sizes.max() / sizes.sum())


def largest_piece(mask: np.ndarray) -> np.ndarray:
    """The largest connected piece of a mask (H, W), so that a speck far away is not the end of a structure."""
    labels, count = ndimage.label(mask, CORNERS)
    return labels == 1 + np.bincount(labels.ravel())[1:].argmax() if count > 1 else mask


def bounding_box(mask: np.ndarray, *, margin: int = 0) -> tuple[slice, slice]:
    """Rows and columns of the rectangle around a mask (H, W), with a margin; without a pixel where there is no mask."""
    rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
    if not len(rows):
        return slice(0, 0), slice(0, 0)
    (top, bottom), (left, right) = (
        (max(0, int(hit[0]) - margin), int(hit[-1]) + margin + 1) for hit in (rows, columns)
    )
    return slice(top, bottom), slice(left, right)
