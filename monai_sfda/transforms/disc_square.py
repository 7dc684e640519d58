"""Which part of a photograph a network for crops around the disc is to see."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["crop_or_square"]


def crop_or_square(
    centre: Sequence[float], diameter: float, size: Sequence[int], *, side: float, crop_from: float
) -> list[int]:
    """The square about the disc, moved into the frame where it would reach beyond; all of a picture that is a crop.

    Args:
        centre: of the disc, (x, y) in pixels.
        diameter: longest diameter of the disc in pixels.
        size: (H, W) of the picture.
        side: of the square in disc diameters.
        crop_from: a picture whose disc takes this share of its shorter side, or more, is a crop; at most ``1 / side``,
            so that the square fits into any other.

    Returns:
        Left, top, right, bottom.
    """
    height, width = size
    if diameter >= crop_from * min(height, width):
        return [0, 0, width, height]
    length = max(1, round(side * diameter))
    left, top = (
        min(max(round(middle - length / 2), 0), whole - length)
        for middle, whole in zip(centre, (width, height), strict=True)
    )
    return [left, top, left + length, top + length]
