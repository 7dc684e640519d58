"""A drawn lumbar spine, as tissues. Lengths in mm: x to the left, y to the front, z to the head."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from monai_sfda.organs.phantoms import ellipsoid

__all__ = ["DISCS", "TISSUES", "draw_spine_tissue"]

TISSUES = (
    "air",
    "skin fat",
    "fat",
    "muscle",
    "bowel",
    "vessel",
    "cortex",
    "marrow",
    "fluid",
    "cord",
    "disc",
    "ligament",
)
"""A tissue's number in the volume is its place in this list."""

DISCS = 7  # from the 11th thoracic vertebra to the sacrum


class Column(NamedTuple):
    """How the vertebrae of one patient are stacked; discs from the lowest."""

    levels: np.ndarray
    """Height of the middle of each disc along the column, (DISCS,)."""
    heights: np.ndarray
    """Of each disc, (DISCS,)."""
    lordosis: float
    """How far the middle of the column stands before its ends."""
    scoliosis: float
    """How far it stands to the left."""
    depth: float
    """Of a vertebral body, front to back."""


def draw_column(rng: np.random.Generator) -> Column:
    pitch = rng.uniform(29, 32) * np.linspace(1.06, 0.92, DISCS - 1)
    levels = np.concatenate([[0], np.cumsum(pitch)]) - rng.uniform(86, 92)
    heights = rng.uniform(0.85, 1.15, DISCS) * np.linspace(11, 7, DISCS)
    return Column(levels, heights, rng.uniform(6, 16), rng.normal(0, 3), rng.uniform(33, 38))


def straightened(column: Column, places: np.ndarray) -> np.ndarray:
    """Places (3, X, Y, Z) beside and along the column: to the left and to the front of its middle, and up along it."""
    x, y, z = places
    bend = np.pi * z / 240
    front = y - column.lordosis * np.cos(bend) + 0.5 * column.lordosis
    slope = -column.lordosis * np.pi / 240 * np.sin(bend)
    return np.stack([x - column.scoliosis * np.cos(bend), front, z + front * slope])


def draw_spine_tissue(rng: np.random.Generator, places: np.ndarray) -> np.ndarray:
    """Tissues (X, Y, Z) uint8 of one drawn patient at places (3, X, Y, Z); the later shape lies over the earlier."""
    tissue = np.zeros(places.shape[1:], np.uint8)
    column = draw_column(rng)
    along = straightened(column, places)

    def paint(name: str, centre, radii, power: float = 2, where: np.ndarray = along) -> None:
        tissue[ellipsoid(where, centre, radii, power)] = TISSUES.index(name)

    back = rng.uniform(70, 74)
    paint("skin fat", (0, 0, 0), (200, back, 1e3), where=places)
    paint("muscle", (0, 30, 0), (200, back + 30 - rng.uniform(8, 20), 1e3), where=places)
    paint("fat", (0, 78, 0), (200, 60, 1e3))
    for _ in range(14):
        paint("bowel", (rng.uniform(-40, 40), rng.uniform(45, 75), rng.uniform(-110, 110)), rng.uniform(6, 16, 3))
    paint("vessel", (9, 29, 0), (9, 8, 1e3))  # aorta
    paint("vessel", (-13, 27, 0), (10, 7, 1e3))  # vena cava
    for side in (-1, 1):
        paint("muscle", (side * 40, 2, 0), (17, 20, 1e3))  # psoas
    _draw_canal(paint, column)
    _draw_arches(rng, paint, column)
    _draw_bodies(rng, paint, column)
    return tissue


def _draw_canal(paint, column: Column) -> None:
    middle = -column.depth / 2 - 9
    paint("fat", (0, middle, 0), (11, 9, 1e3))
    paint("fluid", (0, middle + 1, 0), (9, 7, 1e3))
    paint("cord", (0, middle, column.levels[-2] + 90), (5, 4, 100))  # ends at the first lumbar vertebra
    paint("ligament", (0, -column.depth / 2 - 1, 0), (8, 2.2, 1e3))


def _draw_arches(rng: np.random.Generator, paint, column: Column) -> None:
    """A spinous process behind each vertebra, a little lower than its body."""
    back = -column.depth / 2 - 34
    for low, high in pairwise(column.levels):
        middle = (low + high) / 2 - 8 + rng.normal(0, 1)
        paint("cortex", (0, back, middle), (5, 15, 9), power=3)
        paint("marrow", (0, back, middle), (3.5, 13, 7), power=3)


def _draw_bodies(rng: np.random.Generator, paint, column: Column) -> None:
    half = column.depth / 2
    bottom = column.levels[0] - column.heights[0] / 2
    ends = [bottom - 42, *column.levels, column.levels[-1] + 32]
    gaps = [0, *column.heights, 0]
    for number, (low, high) in enumerate(pairwise(ends)):
        floor, roof = low + gaps[number] / 2, high - gaps[number + 1] / 2
        middle, height = (0, 0, (floor + roof) / 2), (roof - floor) / 2
        paint("cortex", middle, (25, half, height), power=6)
        paint("marrow", middle, (23.5, half - 1.5, height - 1), power=6)
    for level, height in zip(column.levels, column.heights, strict=True):
        bulge = rng.uniform(-1, 1.5)
        paint("disc", (0, 0, level), (24, half + bulge, height / 2), power=3.5)
