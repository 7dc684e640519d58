"""A decision as one sentence."""

from __future__ import annotations

import math

from monai_sfda.choice.bounds import Interval
from monai_sfda.choice.estimate import Gain

__all__ = ["sentence"]


def sentence(
    action: str, candidate: str, structure: str, gain: Gain, bounds: Interval, more: int, shown: bool = True
) -> str:
    """What to do, and the figures that it rests on; points are hundredths of Dice.

    >>> sentence("adopt", "dpl", "cup", Gain(0.036, 0.0124, 10), Interval(0.008, 0.064), 0)
    'adopt dpl: the cup gained 3.6 points (0.8 to 6.4) on 10 outlines'
    """
    if action == "adopt":
        return f"adopt {candidate}: {_change(structure, gain, bounds)}"
    if action == "keep-source":
        told = f"keep the source network: with {candidate}, the best candidate, {_change(structure, gain, bounds)}"
        return told if shown else f"{told}, which is not certain enough"
    if not gain.count:
        return f"outline {more} images: without outlines nothing can be said of the {structure}"
    return f"outline {more} more: with {candidate}, so far the best, {_change(structure, gain, bounds)}"


def _change(structure: str, gain: Gain, bounds: Interval) -> str:
    verb = "lost" if gain.mean < 0 else "gained"
    low, high = (_points(bound) for bound in (bounds if gain.mean >= 0 else (-bounds.high, -bounds.low)))
    spread = "" if math.isnan(gain.error) else f" ({low} to {high})"
    plural = "s" if gain.count != 1 else ""
    return f"the {structure} {verb} {_points(abs(gain.mean))} points{spread} on {gain.count} outline{plural}"


def _points(dice: float) -> float:
    return round(100 * dice, 1) + 0.0  # no -0.0
