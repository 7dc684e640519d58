"""One rule of intensity for all voxels of a volume."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Intensity", "Percentiles", "ZScore"]

LARGEST_EXACT = 2**24
"""Up to here float32 has all integers."""


@dataclass(frozen=True)
class Percentiles:
    """Bring the ``low`` percentile of a volume to 0 and the ``high`` one to 1, and clip what is beyond them."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not 0 <= self.low < self.high <= 100:
            raise ValueError(f"Expected percentiles 0 <= low < high <= 100, found {self.low} and {self.high}.")

    def ends(self, values: np.ndarray) -> tuple[float, float]:
        low, high = np.percentile(values, [self.low, self.high])
        if low == high:  # a bright organ in an empty field
            low, high = values.min(), values.max()
        return float(low), float(high)


@dataclass(frozen=True)
class ZScore:
    """Bring the mean of a volume to 0.5, ``width`` standard deviations below it to 0, and as many above it to 1."""

    width: float

    def __post_init__(self) -> None:
        if not self.width > 0:
            raise ValueError(f"Expected a width above 0 standard deviations, found {self.width}.")

    def ends(self, values: np.ndarray) -> tuple[float, float]:
        mean, spread = float(values.mean(dtype=np.float64)), float(values.std(dtype=np.float64))
        return mean - self.width * spread, mean + self.width * spread


Intensity = Percentiles | ZScore


def scaled(values: np.ndarray, rule: Intensity) -> np.ndarray:
    """Values of a volume as float32 in [0, 1].

    Raises:
        ValueError: if all voxels have one value.
    """
    black, white = rule.ends(values)
    if not black < white:
        raise ValueError(f"Expected a volume that shows something, found {black:g} in all voxels; export it again.")
    return np.clip((values.astype(_exact(values)) - black) / (white - black), 0, 1).astype(np.float32, copy=False)


def _exact(values: np.ndarray) -> type:
    """float32, but float64 for integers so large that neighbours would become one."""
    large = values.dtype.kind in "iu" and max(-int(values.min()), int(values.max())) > LARGEST_EXACT
    return np.float64 if large else np.float32
