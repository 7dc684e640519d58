"""How structures of the heart lie to one another in short-axis slices.

Shapes: masks are bool (Z, Y, X), slices first; neighbours are counted within a slice, for slices lie far apart.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

__all__ = ["REACH", "beside", "open_border"]

REACH = 2
"""Voxels that may lie between structures that count as side by side."""


def open_border(cavity: np.ndarray, myocardium: np.ndarray) -> float | None:
    """Share of the cavity's border that does not touch the myocardium, in [0, 1].

    The border are the sides of voxels between the cavity and what is not cavity. The first and the last slice of the
    cavity are left out, where the ring is rightly open: at the valves and at the apex. None if there are no others.
    """
    levels = np.flatnonzero(cavity.any((1, 2)))
    if len(levels) < 3:
        return None
    inner = slice(levels[0] + 1, levels[-1])
    inside, wall = (np.pad(mask[inner], ((0, 0), (1, 1), (1, 1))) for mask in (cavity, myocardium))
    sides = touching = 0
    for axis in (1, 2):
        for step in (1, -1):
            border = inside & ~np.roll(inside, step, axis)  # the margin keeps one end from touching the other
            sides += int(np.count_nonzero(border))
            touching += int(np.count_nonzero(border & np.roll(wall, step, axis)))
    return 1 - touching / sides if sides else None


def beside(structure: np.ndarray, other: np.ndarray) -> float | None:
    """Share of the slices with both in which they lie side by side, at most `REACH` voxels apart, in [0, 1].

    0 if no slice has both; None if one of them is nowhere.
    """
    if not structure.any() or not other.any():
        return None
    both = np.flatnonzero(structure.any((1, 2)) & other.any((1, 2)))
    if not len(both):
        return 0.0
    in_slice = ndimage.generate_binary_structure(2, 2)[None]
    near = ndimage.binary_dilation(other[both], in_slice, iterations=REACH + 1)
    return float(np.mean((structure[both] & near).any((1, 2))))
