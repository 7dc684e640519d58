"""Dice of a candidate minus Dice of the source network, image by image, empty masks included."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["CaseGains", "case_gains"]


class CaseGains(NamedTuple):
    values: list[float]
    """One per image, in [-1, 1]."""
    undefined: int
    """Images on which the candidate's mask and the outline are both empty, so that it has no Dice."""


def case_gains(candidate: Sequence[float], source: Sequence[float]) -> CaseGains:
    """Gains of the images, where nothing was outlined included.

    An empty mask is right there and counts as a Dice of 1, any other as 0. So a network gains or loses 1 where it alone
    is right, and 0 where both are.

    Args:
        candidate: Dice of each image in [0, 1]; nan if its mask and the outline are both empty.
        source: Dice of the source network on the same images.

    Raises:
        ValueError: if there are not as many of one as of the other.
    """
    if len(candidate) != len(source):
        raise ValueError(
            f"Expected the Dice of both networks on the same images, found {len(candidate)} and {len(source)}; give "
            "one number per image."
        )
    pairs = list(zip(candidate, source, strict=True))
    values = [_known(mine) - _known(before) for mine, before in pairs]
    return CaseGains(values, sum(map(math.isnan, candidate)))


def _known(dice: float) -> float:
    return 1.0 if math.isnan(dice) else dice
