"""How a stored picture is turned upright, as EXIF counts: 1 (it is) to 8."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["as_stored", "known_orientation", "upright"]

INVERSE = {6: 8, 8: 6}  # of the orientations that are not their own


def known_orientation(said: Any) -> int:
    """1 to 8, of what a file says; many cameras write 0 for what they do not know, which is as good as 1."""
    return int(said) if said in range(1, 9) else 1


def upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Turn (H, W) or (H, W, C) of an orientation upright; one that does not exist turns nothing."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels


def as_stored(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Turn upright pixels as a file of that orientation stores them."""
    return upright(pixels, INVERSE.get(orientation, orientation))
