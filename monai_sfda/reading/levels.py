"""Grey levels of any type and depth, brought to 0..255."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

__all__ = ["Scale", "scale_of", "to_uint8"]

DEPTHS = (8, 12, 16)


class Scale(NamedTuple):
    """Which level becomes 0, which 255, and who says so: ``file``, ``values`` or ``option``."""

    black: float
    white: float
    source: str


def scale_of(levels: np.ndarray, bits: int | None = None, fixed: Sequence[float] | None = None) -> Scale:
    """Find the scale of levels.

    - What the file says comes first: ``bits``, unless a value exceeds it; bool and uint8 are 1 and 8 bits deep.
    - Then ``fixed``, black and white.
    - Else the values: integers 0..65535 are 8, 12 or 16 bits deep, the first that holds the largest; of anything else
      (float, negative, deeper) [0, 1] and [0, 255] are full scale, and other ranges go from minimum to maximum.

    Raises:
        ValueError: if a value is NaN or infinite, or complex.
    """
    if levels.dtype == bool:
        return Scale(0, 1, "file")
    if levels.dtype == np.uint8 and bits in (None, 8):
        return Scale(0, 255, "file")
    if levels.dtype.kind == "c":
        raise ValueError("Expected grey levels, found complex numbers; export their magnitude.")
    low, high = (float(levels.min()), float(levels.max())) if levels.size else (0.0, 0.0)
    if not np.isfinite(low + high):
        raise ValueError("Expected finite grey levels, found NaN or infinity; export the image again.")
    whole = levels.dtype.kind in "ui" and low >= 0 and high <= 65535
    if bits is not None and whole and high < 2**bits:
        return Scale(0, 2**bits - 1, "file")
    if levels.dtype == np.uint8:
        return Scale(0, 255, "file")
    if fixed is not None:
        return Scale(float(fixed[0]), float(fixed[1]), "option")
    if whole:
        return Scale(0, next(2**depth - 1 for depth in DEPTHS if high < 2**depth), "values")
    if low >= 0 and high <= 255:
        return Scale(0, 1 if high <= 1 else 255, "values")
    return Scale(low, max(high, low + 1e-12), "values")


def to_uint8(levels: np.ndarray, scale: Scale | None = None) -> np.ndarray:
    """Bring levels to 0..255 by a scale, by default that of `scale_of`; beyond black and white they are clipped."""
    black, white, _ = scale or scale_of(levels)
    if levels.dtype == np.uint8 and (black, white) == (0, 255):
        return levels
    span = max(white - black, np.finfo(float).tiny)

    def convert(values: np.ndarray) -> np.ndarray:
        return np.rint(np.clip((values.astype(np.float64) - black) * (255.0 / span), 0, 255)).astype(np.uint8)

    if levels.dtype in (np.uint8, np.uint16) and levels.size > 65536:
        return convert(np.arange(np.iinfo(levels.dtype).max + 1))[levels]  # a table: quick, and small in memory
    return convert(levels)
