"""A drawn male pelvis about the prostate, as tissues. Lengths in mm: x to the left, y to the back, z to the head."""

from __future__ import annotations

import numpy as np

from monai_sfda.organs.phantoms import ellipsoid

__all__ = ["TISSUES", "balloon_push", "draw_pelvis", "rectum_middle"]

TISSUES = (
    "air", "skin fat", "fat", "muscle", "cortex", "marrow", "bladder", "wall", "lumen", "vesicle", "central",
    "peripheral", "balloon",
)  # fmt: skip
"""A tissue's number in the volume is its place in this list; central and peripheral zone are the prostate."""

BALLOON = 19.0  # half its width
PUSH = 7.0  # how far the front of the balloon moves what lies before it


def rectum_middle(z: np.ndarray | float) -> np.ndarray:
    """Where the rectum runs: further back towards the head, along the sacrum."""
    return 36 + 0.004 * np.clip(np.asarray(z) + 25, 0, None) ** 2


def balloon_push(places: np.ndarray) -> np.ndarray:
    """Places (3, X, Y, Z) as they were before a balloon was filled in the rectum."""
    x, y, z = places
    gap = (rectum_middle(z) - 8 - y).clip(0)
    push = PUSH * np.exp(-((x / 30) ** 2) - (z / 30) ** 2 - gap / 25)
    return np.stack([x * (1 - 0.03 * push / PUSH), y + push * (gap > 0), z])


def draw_pelvis(rng: np.random.Generator, places: np.ndarray, *, balloon: bool = False) -> np.ndarray:
    """Tissues (X, Y, Z) uint8 of one drawn patient at places (3, X, Y, Z); the later shape lies over the earlier."""
    tissue = np.zeros(places.shape[1:], np.uint8)

    def paint(name: str, centre, radii, power: float = 2, where: np.ndarray = places) -> None:
        tissue[ellipsoid(where, centre, radii, power)] = TISSUES.index(name)

    width, depth, fat = rng.uniform(106, 116), rng.uniform(84, 94), rng.uniform(8, 16)
    paint("skin fat", (0, 0, 0), (width, depth, 1e3), power=2.5)
    paint("muscle", (0, 0, 0), (width - fat, depth - fat, 1e3), power=2.5)
    paint("fat", (0, 8, 0), rng.uniform(0.95, 1.05) * np.array([50, 56, 1e3]), power=2.5)
    for side in (-1, 1):
        _draw_side(rng, paint, side)
    inner = balloon_push(places) if balloon else places
    _draw_organs(rng, paint, inner)
    _draw_rectum(rng, paint, places, balloon)
    return tissue


def _draw_side(rng: np.random.Generator, paint, side: int) -> None:
    """Hip and muscles of one side; ``side`` is 1 for the left."""
    hip = (side * rng.uniform(76, 80), -8 + rng.normal(0, 2), 8)
    head = rng.uniform(21, 24)
    paint("cortex", hip, (head, head, 30))
    paint("marrow", hip, (head - 3, head - 3, 28))
    paint("cortex", (side * 52, 2, -2), (6, 26, 40))  # the acetabulum, and the ischium below it
    paint("marrow", (side * 52, 2, -2), (3, 23, 38))
    paint("muscle", (side * 43, 2, -6), (7, 27, 1e3))  # internal obturator
    paint("fat", (side * 52, 52, 0), (26, 7, 1e3))  # between the layers of the gluteal muscles
    paint("muscle", (side * 25, 14, -14), (4, 22, 20))  # levator
    paint("marrow", (side * 16, -52, -20), (13, 9, 20))  # pubic bone


def _draw_organs(rng: np.random.Generator, paint, places: np.ndarray) -> None:
    """Bladder, seminal vesicles and prostate."""
    size = rng.uniform(0.85, 1.2) * np.array([24, 16, 19]) * rng.uniform(0.93, 1.07, 3)
    middle = np.array([0, rectum_middle(0) - 15 - size[1], rng.uniform(-9, -3)]) + rng.normal(0, 1.5, 3)
    top = middle[2] + size[2]
    fill = rng.uniform(0.8, 1.3) * np.array([30, 24, 20])
    above = (0, middle[1] - 8, top + fill[2] - 5)
    paint("muscle", above, fill + 3, where=places)
    paint("bladder", above, fill, where=places)
    for side in (-1, 1):
        paint("vesicle", (side * 15, middle[1] + 10, top + 3), (13, 5, 6), where=places)
    paint("wall", middle, size + 2.5, where=places, power=2.3)  # the capsule
    paint("peripheral", middle, size, where=places, power=2.3)
    gland = size * rng.uniform(0.62, 0.85, 3)
    paint("central", middle - [0, 0.35 * (size - gland)[1] + 2, -2], gland, where=places)


def _draw_rectum(rng: np.random.Generator, paint, places: np.ndarray, balloon: bool) -> None:
    x, y, z = places
    along = np.stack([x, y - rectum_middle(z), z])
    wide, deep = rng.uniform(11, 16), rng.uniform(8, 11)
    paint("wall", (0, 0, 0), (wide, deep, 1e3), where=along)
    paint("lumen", (0, 0, 0), (wide - 4, deep - 4, 1e3), where=along)
    if balloon:
        paint("wall", (0, -2, 0), (BALLOON + 2, 15, 42), where=along)
        paint("balloon", (0, -2, 0), (BALLOON, 13, 40), where=along)
