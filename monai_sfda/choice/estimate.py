"""What a candidate gains over the source network, on all images, from the few that are outlined."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["Gain", "estimate_gain"]

FEWEST = 3
"""Outlines for an error: of two values the spread says next to nothing."""


class Gain(NamedTuple):
    """Mean gain of Dice over all images; 0.01 is one point."""

    mean: float
    """nan without any outline."""
    error: float
    """Standard error of the mean, 0 once all images are outlined; nan where it cannot be told: below three outlines,
    and where all of them say the same, as they do if the masks differ on none."""
    count: int  # type: ignore[assignment]  # NamedTuple has a method of this name, which nobody needs
    """Outlines that it rests on."""


def estimate_gain(gains: Sequence[float], *, total: int, weights: Sequence[float] | None = None) -> Gain:
    r"""Estimate the mean gain over all N images from n outlined ones.

    .. math::
        g &= \tfrac{1}{n} \sum v \, y \\
        e^2 &= (1 - n / N) \, \mathrm{var}(v \, y) / n

    The outlined images are part of the N, hence 1 - n / N.

    Args:
        gains: (n,), y, Dice of the candidate minus Dice of the source network.
        total: N.
        weights: (n,), v, of `monai_sfda.choice.weights`; None: all 1, for a uniform drawing.

    Raises:
        ValueError: if lengths differ, or a value is no number.
    """
    n = len(gains)
    if n > total:
        raise ValueError(f"Expected at most {total} gains of as many images, found {n}; give the number of images.")
    y = _checked("gains", gains, n)
    v = [1.0] * n if weights is None else _checked("weights", weights, n)
    if not n:
        return Gain(math.nan, math.nan, 0)
    parts = [weight * value for weight, value in zip(v, y, strict=True)]
    mean = _mean(parts)
    if n == total:
        return Gain(mean, 0.0, n)
    variance = sum((part - mean) ** 2 for part in parts) / (n - 1) if n >= FEWEST else 0.0
    return Gain(mean, math.sqrt((1 - n / total) * variance / n) if variance else math.nan, n)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _checked(name: str, values: Sequence[float], length: int) -> Sequence[float]:
    if len(values) != length or not all(map(math.isfinite, values)):
        raise ValueError(f"Expected {length} finite numbers for {name}, found {values}; give one number per image.")
    return values
