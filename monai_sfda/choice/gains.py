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
    """Images on which a mask and the outline are both empty, so that there is no Dice; they count as a gain of 0."""


def case_gains(candidate: Sequence[float], source: Sequence[float]) -> CaseGains:
    """Gains of the images, where the Dice of two empty masks is nan and that of one empty mask 0.

    Args:
        candidate: Dice of each image in [0, 1], or nan.
        source: Dice of the source network on the same images.

    Raises:
        ValueError: if there are not as many of one as of the other.
    """
    if len(candidate) != len(source):
        raise ValueError(
            f"Expected the Dice of both networks on the same images, found {len(candidate)} and {len(source)}; give "
            "one number per image."
        )
    differences = [mine - before for mine, before in zip(candidate, source, strict=True)]
    values = [0.0 if math.isnan(difference) else difference for difference in differences]
    return CaseGains(values, sum(map(math.isnan, differences)))
