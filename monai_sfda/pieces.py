"""Connected pieces of a mask, and the box around it."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

__all__ = ["PIECES_SIZE", "bounding_box", "largest_piece", "piece_sizes", "pieces"]

PIECES_SIZE = 512
"""Sides of larger masks are thinned out to this before their pieces are counted."""


def piece_sizes(mask: np.ndarray) -> np.ndarray:
    """Pixels in each connected piece of a mask of any dimension; those that touch at a corner are connected."""
    labels, count = _label(mask)
    return np.bincount(labels.ravel())[1:] if count > 1 else np.full(count, np.count_nonzero(mask))


def pieces(mask: np.ndarray) -> tuple[int, float | None]:
    """Number of connected pieces of a mask (H, W) and the share of its pixels in the largest, None if it is empty."""
    down, across = (max(1, -(-side // PIECES_SIZE)) for side in mask.shape)
    thinned = mask[::down, ::across]
    sizes = piece_sizes(thinned if thinned.any() else mask)
    return len(sizes), float(sizes.max() / sizes.sum()) if len(sizes) else None


def largest_piece(mask: np.ndarray) -> np.ndarray:
    """The largest connected piece of a mask (H, W), so that a speck far away is not the end of a structure."""
    labels, count = _label(mask)
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


def _label(mask: np.ndarray) -> tuple[np.ndarray, int]:
    return ndimage.label(mask, np.ones((3,) * mask.ndim))  # every neighbour, those at corners too
