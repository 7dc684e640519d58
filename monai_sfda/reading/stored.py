"""What was read: the pixels as the file stores them, and what they mean."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

__all__ = ["Facts", "Huge", "Refused", "Shown", "Stored", "refuse_huge"]


@dataclass
class Stored:
    """One image as its file stores it, before it is turned upright and brought to 8 bits."""

    levels: np.ndarray
    """(H, W), or (H, W, 3) of colours; of a palette its indices."""
    colours: str = "grey"
    """What the levels are: grey, RGB, palette, or a kind that was converted to RGB, such as CMYK."""
    bits: int | None = None
    """How deep the levels are, where the file says it."""
    inverted: bool = False
    """Whether the smallest level is white."""
    palette: np.ndarray | None = None
    """(N, 3) uint8."""
    alpha: np.ndarray | None = None
    """(H, W), in any unit."""
    orientation: int = 1
    """How to turn it, 1 (upright) to 8, as EXIF counts."""
    lossy: bool = False
    """Whether it was compressed at the expense of its levels."""
    frame: int = 0
    """Which image of the file it is; the others are small copies of it."""
    spacing: tuple[float, float] | None = None
    """Height and width of a pixel as stored, in mm."""
    spacing_from: str | None = None
    """The place in the file that says it."""


@dataclass(frozen=True)
class Facts:
    """What was read."""

    height: int
    width: int
    channels: int
    """As stored, without alpha."""
    stored: str
    """Type of the stored levels, as numpy calls it."""
    colours: str
    black: float
    """The stored level that became 0; of a palette and of converted colours that of the result."""
    white: float
    """The stored level that became 255."""
    scale_from: str
    """Who says black and white: ``file``, ``values`` (guessed from the smallest and largest), or ``option``."""
    inverted: bool
    orientation: int
    frame: int
    spacing: tuple[float, float] | None
    spacing_from: str | None


@dataclass(frozen=True)
class Shown:
    """What every decoder gives: pixels (H, W, 3) uint8, upright, bright meaning bright."""

    pixels: np.ndarray
    facts: Facts

    def __post_init__(self) -> None:
        size = (self.facts.height, self.facts.width, 3)
        if self.pixels.dtype != np.uint8 or self.pixels.shape != size or not all(size):
            raise AssertionError(f"Expected {size} uint8, found {self.pixels.shape} {self.pixels.dtype}")


class Refused(ValueError):
    """What was expected in a file, what was found, and what to do."""


class Huge(Refused):
    """More pixels than are read."""


def refuse_huge(shape: Any, path: str | Path, limit: int | None = None) -> None:
    """Pillow's own limit, for what Pillow does not read, or another: a header can promise more than memory holds."""
    limit = limit or 2 * (Image.MAX_IMAGE_PIXELS or sys.maxsize)
    if np.prod([int(n) for n in shape], dtype=float) > limit:
        size = " x ".join(str(int(n)) for n in shape)
        raise Huge(f"Expected at most {limit} pixels in {Path(path).name}, found {size}; export a smaller image.")
