"""Reference segmentations of fundus datasets as class ids, cut out around the disc and scaled.

Class ids: 0 background, 1 disc rim, 2 cup; the disc is rim and cup. Shapes: H rows, W columns.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

__all__ = [
    "classify_grey",
    "crop_around_disc",
    "ids_of_structures",
    "read_grey",
    "read_rgb",
    "read_structure",
    "resize",
]

NO_CLASS = 255
BLACK_AND_WHITE = {0: (0, 0), 1: (255, 255)}


def read_rgb(path: Path) -> np.ndarray:
    """(H, W, 3) uint8, rows as stored: the masks of the datasets know nothing of a rotation tag."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def read_grey(path: Path) -> np.ndarray:
    """(H, W) uint8; 1 bit becomes 0 and 255, equal colours their grey."""
    with Image.open(path) as image:
        return np.asarray(image.convert("L"))


def read_structure(path: Path) -> np.ndarray:
    """(H, W) bool of a mask that is white on black; any other grey level is an error."""
    return classify_grey(read_grey(path), BLACK_AND_WHITE) == 1


def classify_grey(grey: np.ndarray, ranges: Mapping[int, tuple[int, int]]) -> np.ndarray:
    """Give each pixel the class whose range of grey levels, ends included, holds its level.

    Args:
        grey: uint8, any shape.
        ranges: class (0 to 254) to (lowest, highest) level; ``{2: (0, 0), 1: (128, 128), 0: (255, 255)}`` for REFUGE.

    Raises:
        ValueError: naming the levels that belong to no class.
    """
    table = np.full(256, NO_CLASS, np.uint8)
    for value, (low, high) in ranges.items():
        table[low : high + 1] = value
    classes = table[grey]
    if (classes == NO_CLASS).any():
        wanted = ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in sorted(ranges.values()))
        levels, counts = np.unique(grey[classes == NO_CLASS], return_counts=True)
        listed = ", ".join(map(str, levels[:5])) + (", ..." if len(levels) > 5 else "")
        raise ValueError(
            f"Expected the grey levels {wanted} in the mask, found {listed} in {counts.sum()} pixels; "
            "use the file of the official download, not a rescaled or recompressed copy."
        )
    return classes


def ids_of_structures(disc: np.ndarray, cup: np.ndarray) -> np.ndarray:
    """Class ids (H, W) uint8 from two bool masks; a cup pixel outside the disc is background, as anatomy has it.

    Raises:
        ValueError: if the masks differ in size, or most of the cup lies outside the disc.
    """
    if disc.shape != cup.shape:
        sizes = " and ".join("x".join(map(str, mask.shape[::-1])) for mask in (disc, cup))
        raise ValueError(f"Expected masks of disc and cup of one size, found {sizes}; download both again.")
    if 2 * (cup & ~disc).sum() > cup.sum():
        raise ValueError("Expected the cup in the disc, found most of it outside; check whether they are swapped.")
    return disc.astype(np.uint8) + (cup & disc).astype(np.uint8)


def crop_around_disc(image: np.ndarray, ids: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Cut out a square of ``side`` pixels about the middle of the disc's bounding box.

    What lies beyond the photograph is black and background.

    Args:
        image: (H, W, 3); ids: (H, W) with a disc.

    Returns:
        (side, side, 3) and (side, side).

    Raises:
        ValueError: if the disc is larger than the square.
    """
    rows, columns = (np.flatnonzero((ids > 0).any(axis)) for axis in (1, 0))
    height, width = rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1
    if max(height, width) > side:
        raise ValueError(
            f"Expected a disc that fits a square of {side} pixels, found {width} x {height}; give a larger --crop."
        )
    top, left = (int(ends[0] + ends[-1] + 1 - side) // 2 for ends in (rows, columns))
    margin = [(side, side), (side, side)]
    window = np.s_[top + side : top + 2 * side, left + side : left + 2 * side]
    return np.pad(image, [*margin, (0, 0)])[window], np.pad(ids, margin)[window]


def resize(image: np.ndarray, ids: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Scale to ``size`` x ``size`` pixels.

    Both are interpolated linearly, averaged where they shrink; disc and cup are cut at one half, which keeps the cup
    inside the disc and does not shift a border as picking the nearest pixel does.
    """

    def scaled(pixels: np.ndarray) -> np.ndarray:
        return np.asarray(Image.fromarray(pixels).resize((size, size), Image.Resampling.BILINEAR))

    disc, cup = (scaled((ids >= inner).astype(np.uint8) * 255) >= 128 for inner in (1, 2))
    return scaled(image), ids_of_structures(disc, cup)
