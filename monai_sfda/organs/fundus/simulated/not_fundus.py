"""Pictures without an optic disc that end up among fundus photographs: text, faces, noise, test frames."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

__all__ = ["NOT_FUNDUS", "simulate_not_fundus"]


def black(size: int, rng: np.random.Generator) -> Image.Image:
    """A shot with the lens cap on: sensor noise."""
    return Image.fromarray(rng.integers(0, 5, (size, size, 3)).astype(np.uint8))


def noise(size: int, rng: np.random.Generator) -> Image.Image:
    """Uniform noise in every channel."""
    return Image.fromarray(rng.integers(0, 256, (size, size, 3)).astype(np.uint8))


def text(size: int, rng: np.random.Generator) -> Image.Image:
    """A page of a report: dark lines of letters on paper."""
    page = Image.new("RGB", (size, size), tuple(int(v) for v in rng.integers(220, 256, 3)))
    pen = ImageDraw.Draw(page)
    for row in range(size // 20, size - size // 20, max(12, size // 25)):
        words = ["".join(chr(c) for c in rng.integers(97, 123, rng.integers(2, 9))) for _ in range(size // 50)]
        pen.text((size // 20, row), " ".join(words), fill=(20, 20, 30))
    return page


def face(size: int, rng: np.random.Generator) -> Image.Image:
    """Somebody in front of a wall: an ellipse of skin with eyes and a mouth."""
    wall, skin = rng.integers(40, 220, 3), np.array([215, 165, 135]) * rng.uniform(0.45, 1.1)
    picture = Image.new("RGB", (size, size), tuple(int(v) for v in wall))
    pen = ImageDraw.Draw(picture)

    def oval(x: float, y: float, w: float, h: float, fill: tuple[int, ...]) -> None:
        pen.ellipse([(x - w) * size, (y - h) * size, (x + w) * size, (y + h) * size], fill=fill)

    x, y, w = rng.uniform(0.4, 0.6), rng.uniform(0.45, 0.55), rng.uniform(0.15, 0.3)
    oval(x, y, w, 1.35 * w, tuple(int(min(v, 255)) for v in skin))
    for side in (-1, 1):
        oval(x + side * 0.4 * w, y - 0.25 * w, 0.16 * w, 0.1 * w, (240, 240, 240))
        oval(x + side * 0.4 * w, y - 0.25 * w, 0.07 * w, 0.07 * w, (40, 30, 20))
    oval(x, y + 0.65 * w, 0.35 * w, 0.1 * w, (150, 60, 60))
    return picture.filter(ImageFilter.GaussianBlur(size / 150))


def clutter(size: int, rng: np.random.Generator) -> Image.Image:
    """Ovals, boxes and bars of any colour, one over the other, in focus or not: things in a room."""
    picture = Image.new("RGB", (size, size), tuple(int(v) for v in rng.integers(0, 256, 3)))
    pen = ImageDraw.Draw(picture)
    for _ in range(rng.integers(1, 40)):
        x, y = rng.uniform(-0.1, 1.1, 2)
        w, h = np.exp(rng.uniform(-4, -0.8, 2))
        box = [(x - w) * size, (y - h) * size, (x + w) * size, (y + h) * size]
        fill = tuple(int(v) for v in rng.integers(0, 256, 3))
        kind = rng.random()
        if kind < 0.5:
            pen.ellipse(box, fill=fill)
        elif kind < 0.8:
            pen.rectangle(box, fill=fill)
        else:
            pen.line(box, fill=fill, width=int(rng.integers(1, 6)))
    soft = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0, 0.02) * size))
    shade = np.linspace(rng.uniform(0.5, 1), 1, size)[:, None, None]
    noisy = np.asarray(soft) * shade + rng.normal(0, rng.uniform(1, 12), (size, size, 3))
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))


def lamp(size: int, rng: np.random.Generator) -> Image.Image:
    """A test frame: the round field of the camera, evenly lit or fading, with nothing in it."""
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    light = np.exp(-rng.uniform(0, 1.5) * ((x - rng.uniform(-0.4, 0.4)) ** 2 + (y - rng.uniform(-0.4, 0.4)) ** 2))
    picture = (light * (np.hypot(x, y) < 0.95))[..., None] * rng.uniform(60, 250, 3)
    return Image.fromarray(np.clip(picture + rng.normal(0, 2, picture.shape), 0, 255).astype(np.uint8))


NOT_FUNDUS: dict[str, Callable[[int, np.random.Generator], Image.Image]] = {
    "black": black,
    "noise": noise,
    "text": text,
    "face": face,
    "clutter": clutter,
    "lamp": lamp,
}


def simulate_not_fundus(index: int, *, kind: str, size: int = 480, seed: int = 0) -> np.ndarray:
    """Picture ``index`` of ``kind``, a key of ``NOT_FUNDUS``: RGB (size, size, 3) uint8."""
    return np.asarray(NOT_FUNDUS[kind](size, np.random.default_rng([seed, index])))
