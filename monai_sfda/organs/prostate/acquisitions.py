"""The drawn pelvis as two coils show it: T2-like grey levels, field of the coil, and noise.

The numbers were set by eye, beside what such images look like; they are no measurements of a scanner. The field of the
endorectal coil is what a scanner's correction leaves of it. With the whole field, every method made the network worse:
batch norm has one scale for the bright and the dark part of an image.
"""

from __future__ import annotations

import numpy as np

from monai_sfda.organs.phantoms import Phantom, blurred, grid, patient, rician, texture
from monai_sfda.organs.prostate.anatomy import TISSUES, draw_pelvis, rectum_middle

__all__ = ["ACQUISITIONS", "draw_prostate"]

ACQUISITIONS = ("body", "endorectal")
SHAPE, SPACING = (96, 96, 16), (2.5, 2.5, 4.0)
SIGNAL = {
    "air": 0.0, "skin fat": 0.75, "fat": 0.55, "muscle": 0.2, "cortex": 0.08, "marrow": 0.5, "bladder": 1.0,
    "wall": 0.3, "lumen": 0.1, "vesicle": 0.85, "central": 0.42, "peripheral": 0.75, "balloon": 0.03,
}  # fmt: skip
"""Tissue -> T2-weighted signal, fluid at 1."""


def draw_prostate(index: int, *, acquisition: str, seed: int = 0) -> Phantom:
    """A pelvis with the outline of the prostate, (96, 96, 16) voxels of 2.5 x 2.5 x 4 mm.

    Each coil has patients of its own: the pelvis depends on ``seed``, ``index`` and ``acquisition``.

    Args:
        index: which patient, from 0.
        acquisition: ``"body"``: an even field and noise; ``"endorectal"``: a balloon in the rectum, which moves and
            flattens the prostate, and a coil in it, beside which everything is bright; less noise.
        seed: which population.

    Raises:
        ValueError: if there is no such acquisition.
    """
    rng = patient(acquisition, ACQUISITIONS, seed=seed, index=index)
    endorectal = acquisition == "endorectal"
    places = grid(SHAPE, SPACING) * np.array([1, -1, 1], np.float32)[:, None, None, None]  # y to the back
    tissue = draw_pelvis(rng, places, balloon=endorectal)
    levels = np.array([SIGNAL[name] * rng.uniform(0.9, 1.1) for name in TISSUES])
    signal = blurred(levels[tissue] * texture(rng, SHAPE, 0.08), SPACING, 1.2)
    signal *= coil_field(places, rng) if endorectal else body_field(places, rng)
    image = rician(rng, signal, 0.015 if endorectal else 0.05)
    prostate = np.isin(tissue, [TISSUES.index("central"), TISSUES.index("peripheral")])
    return Phantom((1000 * image).astype(np.int16), prostate.astype(np.uint8), SPACING)


def body_field(places: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A slope of up to a fifth over the body, in a direction of its own."""
    slope = rng.normal(0, 0.1, 3) / np.array([110, 90, 60])
    return 1 + np.tensordot(slope, places, 1)


def coil_field(places: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Bright at the front of the balloon, where the coil is, and darker around it; half of it in dB was corrected."""
    x, y, z = places
    reach = rng.uniform(20, 26)
    distance = np.sqrt(x**2 + (y - rectum_middle(z) + 12) ** 2 + (z / 2) ** 2)
    return np.sqrt(0.4 + 2 / (1 + (distance / reach) ** 2) ** 1.5)
