"""How large the cup is in its disc: ratios, and how wide the rim around it is."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

__all__ = ["SIDES", "cup_to_disc", "ratio_columns", "rim_widths"]

SIDES = ("right", "top", "left", "bottom")
"""The quarter of the disc around 0, 90, 180 and 270 degrees, as one sees the upright photograph."""

DIRECTIONS = 192  # a multiple of 8, so that each quarter has as many and none lies on the border of two
ANGLES = (np.arange(DIRECTIONS) + 0.5) * (2 * math.pi / DIRECTIONS)
STEPS = 256  # along a direction: finer than a pixel up to a disc of 500 pixels


def ratio_columns(disc: np.ndarray, cup: np.ndarray) -> dict[str, Any]:
    """Ratios and rim widths of a disc in one piece, (H, W) bool, and the cup inside it; None without a disc."""
    vertical, horizontal = cup_to_disc(disc, cup)
    disc_area, cup_area = int(np.count_nonzero(disc)), int(np.count_nonzero(cup))
    row: dict[str, Any] = {
        "vertical_cup_to_disc_ratio": vertical,
        "horizontal_cup_to_disc_ratio": horizontal,
        "rim_to_disc_area_ratio": (disc_area - cup_area) / disc_area if disc_area else None,
        "minimum_rim_to_disc_ratio": None,
        **{f"rim_{what}_{side}_px": None for what in ("min", "mean") for side in SIDES},
    }
    if not disc_area:
        return row
    rim, radius = rim_widths(disc, cup)
    diameter = radius + np.roll(radius, DIRECTIONS // 2)
    row["minimum_rim_to_disc_ratio"] = float((rim / np.maximum(diameter, 1)).min())
    quarters = np.roll(rim, DIRECTIONS // 8).reshape(4, -1)  # the first begins at -45 degrees
    for side, quarter in zip(SIDES, quarters, strict=True):
        row[f"rim_min_{side}_px"], row[f"rim_mean_{side}_px"] = float(quarter.min()), float(quarter.mean())
    return row


def cup_to_disc(disc: np.ndarray, cup: np.ndarray) -> tuple[float | None, float | None]:
    """Vertical and horizontal cup-to-disc ratio of upright masks (H, W): extents in rows and in columns.

    None where there is no disc, 0 where there is a disc without a cup.
    """
    ratios = []
    for axis in (1, 0):
        extents = [np.flatnonzero(mask.any(axis)) for mask in (cup, disc)]
        cup_extent, disc_extent = (int(hit[-1] - hit[0]) + 1 if len(hit) else 0 for hit in extents)
        ratios.append(cup_extent / disc_extent if disc_extent else None)
    return ratios[0], ratios[1]


def rim_widths(disc: np.ndarray, cup: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Width of the rim and radius of the disc, in pixels, in directions from the disc's centre of mass.

    Along a direction the radius of a structure is the distance of its outermost pixel, and the rim is what the disc's
    radius has more than the cup's. A cup that a direction does not meet has radius 0.

    Args:
        disc, cup: (H, W) bool, at least one pixel of disc; the cup inside the disc.

    Returns:
        Two arrays (D,): direction d points to (d + 1/2) * 360 / D degrees, 0 to the right, 90 to the top.
    """
    across, down = np.arange(disc.shape[1]), np.arange(disc.shape[0])
    weight = np.count_nonzero(disc)
    centre = (float(down @ disc.sum(1)) / weight, float(across @ disc.sum(0)) / weight)
    reach = math.hypot(max(centre[0], disc.shape[0] - centre[0]), max(centre[1], disc.shape[1] - centre[1]))
    distance = np.linspace(0, reach, STEPS)[::-1]
    place = _nearest(centre[0], -np.sin(ANGLES), distance, disc.shape[0])
    layers = np.pad(disc.astype(np.uint8) + cup, 1)  # nothing lies around them: where rows or columns are clipped
    place += 1
    place *= layers.shape[1]
    place += _nearest(centre[1], np.cos(ANGLES), distance, disc.shape[1])
    place += 1
    met = layers.ravel().take(place.astype(np.intp))
    disc_radius, cup_radius = (_outermost(met > below, distance) for below in (0, 1))
    return np.maximum(disc_radius - cup_radius, 0), disc_radius


def _nearest(start: float, direction: np.ndarray, distance: np.ndarray, size: int) -> np.ndarray:
    """Row, or column, of the pixel at each distance along each direction, (D, S); -1 or ``size`` beyond the mask."""
    place = np.multiply.outer(direction, distance)
    place += start  # in place, as all that follows: new memory takes longer than the arithmetic
    return np.rint(place, out=place).clip(-1, size, out=place)


def _outermost(hits: np.ndarray, distance: np.ndarray) -> np.ndarray:
    """Distance of the first hit from outside along each direction (D, S) -> (D,), 0 where there is none."""
    return np.where(hits.any(1), distance[hits.argmax(1)], 0)
