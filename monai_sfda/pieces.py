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
    """Number of connected pieces of a mask (*S) and the share of its pixels in the largest, None if it is empty."""
    thinned = mask[tuple(slice(None, None, max(1, -(-side // PIECES_SIZE))) for side in mask.shape)]
    sizes = piece_sizes(thinned if thinned.any() else mask)
    return len(sizes), float(sizes.max() / sizes.sum()) if len(sizes) else None


def largest_piece(mask: np.ndarray) -> np.ndarray:
    """The largest connected piece of a mask (H, W), so that a speck far away is not the end of a structure."""
    labels, count = _label(mask)
    return labels == 1 + np.bincount(labels.ravel())[1:].argmax() if count > 1 else mask


def bounding_box(mask: np.ndarray, *, margin: int = 0) -> tuple[slice, ...]:
    """The box around a mask (*S), a slice for each axis, with a margin; without a pixel where there is no mask."""
    axes = range(mask.ndim)
    hits = [np.flatnonzero(mask.any(tuple(other for other in axes if other != axis))) for axis in axes]
    if not len(hits[0]):
        return (slice(0, 0),) * mask.ndim
    return tuple(slice(max(0, int(hit[0]) - margin), int(hit[-1]) + margin + 1) for hit in hits)


def _label(mask: np.ndarray) -> tuple[np.ndarray, int]:
    return ndimage.label(mask, np.ones((3,) * mask.ndim))  # every neighbour, those at corners too
