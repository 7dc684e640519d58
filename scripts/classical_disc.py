"""The disc as a bright blob crossed by dark upright vessels: a control for `benchmark_localise.py` alone.

Difference of Gaussians over a range of disc sizes, weighted by the vessels inside: usual where nothing is trained.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter, grey_closing, uniform_filter
from torch import Tensor

from monai_sfda.organs.fundus.locate.disc_square import crop_or_square
from monai_sfda.organs.fundus.locate.field_of_view import field_picture, find_field, standardise

SIZE = 192  # side of the picture of the field of view
DIAMETERS = (0.11, 0.14, 0.17, 0.2, 0.3, 0.42, 0.55, 0.7)  # shares of that side: full photographs, then crops
WHOLE = 1.35  # diameter of a disc per diameter of the blob that fits best
VESSEL = 7  # widest vessel in pixels of the picture


def classical_disc(image: Tensor) -> dict[str, Any]:
    """Place as `DiscFinder` returns it, for ``image`` (3, H, W) in 0..255; always found, but in black pictures."""
    height, width = image.shape[1:]
    field = find_field(image)
    if field is None:
        centre = [width / 2, height / 2]
        whole = [0, 0, width, height]
        return {"found": False, "cropped": False, "box": whole, "centre": centre, "diameter": 0.0}
    picture, scale, (left, top) = field_picture(image, field, SIZE)
    x, y, diameter = brightest_blob(standardise(picture, field.level).numpy(), (picture.amax(0) > field.level).numpy())
    centre, diameter = (left + x * scale, top + y * scale), diameter * scale
    box = crop_or_square(centre, diameter, (height, width))
    cropped = box != [0, 0, width, height]
    return {"found": True, "cropped": cropped, "box": box, "centre": list(centre), "diameter": diameter}


def brightest_blob(picture: np.ndarray, lit: np.ndarray) -> tuple[float, float, float]:
    """x, y and diameter in pixels of the best blob in a standardised ``picture`` (3, S, S), ``lit`` (S, S)."""
    lit = lit.astype(np.float32)
    bright = np.clip(grey_closing(picture[:2].mean(0), size=(5, 5)), -2, 3)  # vessels closed, extremes cut
    vessels = np.clip(grey_closing(picture[1], size=(1, VESSEL)) - picture[1], 0, 2) * lit
    best = (-np.inf, 0.0, 0.0, 0.0)
    for share in DIAMETERS:
        radius = share * SIZE / 2
        sigma = radius / np.sqrt(2)
        blob = smooth(bright, lit, 0.7 * sigma) - smooth(bright, lit, 1.6 * sigma)
        crossed = uniform_filter(vessels, int(2 * radius) | 1) / (vessels.mean() + 0.05)
        score = np.where(gaussian_filter(lit, sigma / 2) > 0.6, blob * (0.3 + np.minimum(crossed, 3)), -1)
        row, column = np.unravel_index(score.argmax(), score.shape)
        best = max(best, (float(score.max()), column + 0.5, row + 0.5, WHOLE * 2 * radius))
    return best[1:]


def smooth(values: np.ndarray, lit: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian mean over the lit pixels alone."""
    return gaussian_filter(values * lit, sigma) / (gaussian_filter(lit, sigma) + 0.05)
