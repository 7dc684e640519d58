"""The drawn spine in two contrasts of one Dixon sequence: water alone, and water and fat in phase.

The shares of water and fat were set by eye, beside what such images look like; they are no measurements. Fat is darker
than it is in truth: if it is not, the network of the water images, unadapted, finds no disc at all in phase, and
pseudo-labels have to be roughly right. The strength was chosen by that network alone, which keeps half of its Dice.
"""

from __future__ import annotations

import numpy as np

from monai_sfda.organs.phantoms import Phantom, blurred, grid, patient, rician, texture
from monai_sfda.organs.spine.anatomy import TISSUES, draw_spine_tissue

__all__ = ["ACQUISITIONS", "draw_spine"]

ACQUISITIONS = ("water", "in_phase")
SHAPE, SPACING = (20, 80, 112), (4.0, 2.0, 2.0)
WATER = {
    "air": 0.0, "skin fat": 0.06, "fat": 0.08, "muscle": 0.42, "bowel": 0.5, "vessel": 0.3, "cortex": 0.08,
    "marrow": 0.3, "fluid": 0.55, "cord": 0.6, "disc": 0.75, "ligament": 0.1,
}  # fmt: skip
FAT = {"skin fat": 0.66, "fat": 0.56, "muscle": 0.04, "bowel": 0.07, "marrow": 0.14}
"""Tissue -> signal of its water, and of its fat."""


def draw_spine(index: int, *, acquisition: str, seed: int = 0) -> Phantom:
    """A lumbar spine with the outlines of 7 discs, (20, 80, 112) voxels of 4 x 2 x 2 mm, slices sagittal.

    Each contrast has patients of its own: the spine depends on ``seed``, ``index`` and ``acquisition``.

    Args:
        index: which patient, from 0.
        acquisition: ``"water"``: fat is dark, discs stand out of their vertebrae; ``"in_phase"``: fat adds to water, so
            marrow comes nearer to the discs, and the fat around becomes about as bright as they are.
        seed: which population.

    Raises:
        ValueError: if there is no such acquisition.
    """
    rng = patient(acquisition, ACQUISITIONS, seed=seed, index=index)
    places = grid(SHAPE, SPACING)
    tissue = draw_spine_tissue(rng, places)
    shares = [WATER] if acquisition == "water" else [WATER, FAT]
    levels = np.sum([[share.get(name, 0) * rng.uniform(0.9, 1.1) for name in TISSUES] for share in shares], axis=0)
    signal = blurred(levels[tissue] * texture(rng, SHAPE, 0.1), SPACING, 1.0) * surface_field(places, rng)
    image = rician(rng, signal, 0.03)
    return Phantom((1000 * image).astype(np.int16), (tissue == TISSUES.index("disc")).astype(np.uint8), SPACING)


def surface_field(places: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Of the coils in the table: brighter towards the back."""
    return 1 - rng.uniform(0.002, 0.005) * places[1] + rng.normal(0, 0.0005) * places[2]
