"""What else is bright or dark in the field of a fundus photograph: the macula, lesions, reflexes.

Scenes are (3, S, S) float32 in [0, 1]; ``x`` (1, S) and ``y`` (S, 1) are disc radii.
"""

from __future__ import annotations

import numpy as np

from monai_sfda.organs.fundus.simulated.paint import blend, colour, soft_step

__all__ = ["paint_lesions", "paint_macula", "paint_reflexes", "paint_sheen"]

EXUDATE, COTTON, BLOOD = colour(0.93, 0.80, 0.45), colour(0.86, 0.70, 0.52), colour(0.32, 0.09, 0.06)
SCAR, FLARE, SHEEN = colour(0.88, 0.72, 0.50), colour(0.95, 0.75, 0.50), colour(0.80, 0.55, 0.42)


def paint_macula(scene: np.ndarray, x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The dark macula about (0, 0), with the small reflex of the fovea in some eyes."""
    distance = np.hypot(x, y)
    scene = scene * (1 - rng.uniform(0.15, 0.45) * np.exp(-((distance / rng.uniform(0.8, 1.4)) ** 2)))
    if rng.random() < 0.4:
        scene = blend(scene, FLARE, 0.3 * np.exp(-((distance / 0.12) ** 2)))
    return scene


def paint_sheen(scene: np.ndarray, x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The pale shine of the nerve fibres about the disc at (0, 0), widest above and below; strong in the young."""
    distance = np.hypot(x / rng.uniform(1.5, 3.5), y / rng.uniform(2.5, 5))
    return blend(scene, SHEEN, rng.beta(1, 2) * 0.6 * np.exp(-(distance**2)))


def paint_lesions(
    scene: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    texture: np.ndarray,
    rng: np.random.Generator,
    *,
    keep_out: tuple[float, float],
) -> np.ndarray:
    """Exudates, cotton-wool spots, bleedings and pale scars, each in some eyes; none on the disc.

    Args:
        texture: (S, S) smooth noise of variance 1 that makes the outlines irregular.
        keep_out: (x, y) that exudates gather around: the macula.
    """
    for paint, chance, most, sizes, softness, around in (
        (EXUDATE, 0.3, 40, (0.04, 0.22), 0.12, keep_out),
        (EXUDATE, 0.12, 2, (0.4, 0.9), 0.15, keep_out),
        (COTTON, 0.2, 5, (0.2, 0.5), 0.35, (0.0, 0.0)),
        (BLOOD, 0.3, 25, (0.05, 0.4), 0.15, (2.5, 0.0)),
        (SCAR, 0.12, 3, (0.4, 1.3), 0.06, (3.0, 0.0)),
    ):
        if rng.random() >= chance:
            continue
        for _ in range(rng.integers(1, most, endpoint=True)):
            centre, size = rng.normal(around, 2.5), rng.uniform(*sizes)
            if np.hypot(*centre) > 1.3 + size:
                scene = paint_blot(scene, x - centre[0], y - centre[1], size, texture, paint, softness, rng)
    return scene


def paint_blot(
    scene: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    size: float,
    texture: np.ndarray,
    paint: np.ndarray,
    softness: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """An irregular spot of radius ``size`` about (0, 0); only its neighbourhood is computed."""
    columns, rows = (np.flatnonzero(np.abs(axis.ravel()) < 3.5 * size) for axis in (x, y))
    if not len(columns) or not len(rows):
        return scene
    high, wide = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    stretch = rng.uniform(0.8, 1.25)
    distance = np.hypot(x[:, wide] * stretch, y[high] / stretch) / size * (1 + 0.2 * texture[high, wide])
    opacity = rng.uniform(0.6, 1) * soft_step(1 - distance, softness)
    scene[:, high, wide] = blend(scene[:, high, wide], paint, opacity)
    return scene


def paint_reflexes(scene: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Light that never reached the retina: a crescent at the edge of the field, or a ghost of the lamp within it."""
    x, y = np.meshgrid(*[np.linspace(-1, 1, scene.shape[-1], dtype=np.float32)] * 2)
    tint = FLARE * rng.uniform(0.7, 1.1, (3, 1, 1)).astype(np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    if rng.random() < 0.3:
        offset = np.hypot(x + 0.2 * np.cos(angle), y + 0.2 * np.sin(angle))
        scene = scene + tint * (rng.uniform(0.2, 0.8) * soft_step(offset - rng.uniform(1.0, 1.15), 0.03))
    if rng.random() < 0.15:
        place, radius = rng.uniform(-0.6, 0.6, 2), rng.uniform(0.03, 0.2)
        ghost = np.exp(-((np.hypot(x - place[0], y - place[1]) / radius) ** 4))
        scene = scene + tint * (rng.uniform(0.15, 0.5) * ghost)
    return np.clip(scene, 0, 1)
