"""The frame of a simulated full photograph: a round field of view, or one cut above and below, in the dark."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from monai_sfda.organs.fundus.simulated.cameras import Camera, compress

__all__ = ["Frame", "draw_frame", "put_in_frame"]

ASPECTS = (1.0, 1.15, 4 / 3, 1.5)  # width of the frame per height


class Frame(NamedTuple):
    """Size of the frame and the circle of the field in it, in pixels; the circle may reach beyond the frame."""

    width: int
    height: int
    x: float
    y: float
    radius: float

    def size(self) -> int:
        """Side of the square around the field."""
        return round(2 * self.radius)

    def corner(self) -> tuple[int, int]:
        """Left and top of that square."""
        return round(self.x - self.size() / 2), round(self.y - self.size() / 2)


def draw_frame(rng: np.random.Generator, height: int) -> Frame:
    """A frame, and a field that is round in it or cut above and below (in a square one, on all sides)."""
    width = round(height * rng.choice(ASPECTS))
    radius = height / 2 * (rng.uniform(1.03, 1.18) if rng.random() < 0.4 else rng.uniform(0.86, 0.99))
    x, y = width / 2 + rng.normal(0, 0.01) * height, height / 2 + rng.normal(0, 0.005) * height
    return Frame(width, height, x, y, radius)


def put_in_frame(
    field: np.ndarray, ids: np.ndarray, frame: Frame, camera: Camera, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Photograph (H, W, 3) and mask (H, W): the field in its circle, dark around it, sometimes a date or a notch."""
    left, top = frame.corner()
    rows, columns = np.mgrid[: frame.height, : frame.width]
    distance = np.hypot(columns + 0.5 - frame.x, rows + 0.5 - frame.y)
    opacity = np.clip((frame.radius - 1.5 - distance) / rng.uniform(1, 4) + 0.5, 0, 1)[..., None]
    if rng.random() < 0.3:
        notch = np.hypot(columns - frame.x - frame.radius * 0.7, rows - frame.y + frame.radius * 0.7)
        opacity[notch < 0.03 * frame.radius] = 0
    canvas = Image.new("RGB", (frame.width, frame.height))
    canvas.paste(Image.fromarray(field), (left, top))
    labels = Image.new("L", canvas.size)
    labels.paste(Image.fromarray(ids), (left, top))
    surround = Image.new("RGB", canvas.size, tuple(int(v) for v in rng.integers(0, 10, 3)))
    if rng.random() < 0.25:
        ImageDraw.Draw(surround).text((4, frame.height - 14), f"{rng.integers(1_000_000):06d} OD", fill=(210, 210, 210))
    picture = np.asarray(surround) * (1 - opacity) + np.asarray(canvas) * opacity
    noisy = np.clip(picture + rng.normal(0, camera.noise / 4, picture.shape), 0, 255)
    quality = int(rng.integers(*camera.jpeg, endpoint=True))
    return compress(noisy.astype(np.uint8), quality), np.asarray(labels) * (opacity[..., 0] > 0.5)
