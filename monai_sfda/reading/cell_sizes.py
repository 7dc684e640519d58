"""How large a pixel or voxel is, also where the axes of its grid are not at right angles, as in a tilted stack."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["cell_sizes"]


def cell_sizes(affine: np.ndarray, axes: Sequence[int]) -> list[float]:
    """Sizes of a cell whose product is its area or volume; at right angles the distances of neighbours.

    The last one is the distance of neighbours along its axis, those before are distances between lines, and between
    planes: of slices, rows and columns the distance of slices is that along their normal.

    Args:
        affine: (4, 4), from voxel to mm.
        axes: of the grid, such as those of slices, rows and columns.
    """
    steps = affine[:3, list(axes)[::-1]]
    return np.abs(np.diag(np.linalg.qr(steps, mode="r")))[::-1].tolist()
