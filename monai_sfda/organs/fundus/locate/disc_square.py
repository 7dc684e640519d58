"""Which part of a photograph a network for crops around the disc is to see."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["SIDE", "crop_or_square"]

SIDE = 2.1
"""Of the square in disc diameters: the middle of what the simulated crops show."""

WHOLE_FROM = 0.73
"""A square that takes this share of the picture's shorter side, or more, is not worth a cut.

So crops of up to 2.9 disc diameters stay whole: the shipped network was trained on 1.7 to 2.6, and augmented to 3.7.
Crops of 3.5 diameters are cut, also where the disc is taken for a fifth too large.
"""


def crop_or_square(centre: Sequence[float], diameter: float, size: Sequence[int], *, side: float = SIDE) -> list[int]:
    """The square about the disc, moved into the frame where it would reach beyond; all of a picture that is a crop.

    Args:
        centre: of the disc, (x, y) in pixels.
        diameter: longest diameter of the disc in pixels.
        size: (H, W) of the picture.
        side: of the square in disc diameters.

    Returns:
        Left, top, right, bottom.
    """
    height, width = size
    if diameter >= WHOLE_FROM / side * min(height, width):
        return [0, 0, width, height]
    length = max(1, round(side * diameter))
    left, top = (
        min(max(round(middle - length / 2), 0), whole - length)
        for middle, whole in zip(centre, (width, height), strict=True)
    )
    return [left, top, left + length, top + length]
