"""Colours of a simulated eye as a perfect camera would see them: retina, choroid, nerve fibres, disc, cup, vessels.

Scenes are (3, S, S) float32 in [0, 1], maps (S, S); S is the side of the crop in pixels.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from PIL import Image

from monai_sfda.organs.fundus.simulated.anatomy import Eye, locate, lookup
from monai_sfda.organs.fundus.simulated.vessels import draw_vessels

__all__ = ["Window", "paint_eye"]

REACH = 6.0  # disc radii from the disc centre that textures cover


def colour(red: float, green: float, blue: float) -> np.ndarray:
    """A colour that broadcasts over a scene, (3, 1, 1)."""
    return np.array([red, green, blue], np.float32)[:, None, None]


LIGHT_RETINA, DARK_RETINA, CHOROID = colour(0.74, 0.36, 0.23), colour(0.45, 0.23, 0.16), colour(0.12, 0.06, 0.02)
RIM, CUP, SCLERA = colour(0.84, 0.47, 0.31), colour(0.94, 0.74, 0.55), colour(0.90, 0.68, 0.46)
ATROPHY, PIGMENT = colour(0.78, 0.50, 0.34), colour(0.25, 0.13, 0.09)
LENS = colour(0.03, 0.15, 0.65)  # optical depth of the yellowest lens
VEIN, ARTERY = colour(0.25, 1.45, 0.80), colour(0.10, 1.10, 0.75)  # optical depths


class Window(NamedTuple):
    """Where the disc lies in the crop, in shares of the crop's width."""

    x: float
    y: float
    radius: float

    def grid(self, size: int, side: int) -> tuple[np.ndarray, np.ndarray]:
        """Eye coordinates x (1, S) and y (S, 1) of the pixel centres."""
        pixel = (np.arange(size, dtype=np.float32) + 0.5) / size
        return (pixel[None] - self.x) * (side / self.radius), (pixel[:, None] - self.y) / self.radius

    def texture(self, rng: np.random.Generator, cell: float, size: int) -> np.ndarray:
        """Smooth noise (S, S) with nodes of variance 1, ``cell`` disc radii apart and fixed to the eye."""
        nodes = rng.standard_normal((int(2 * REACH / cell),) * 2, dtype=np.float32)
        left, top, width = REACH - self.x / self.radius, REACH - self.y / self.radius, 1 / self.radius
        box = (left / cell, top / cell, (left + width) / cell, (top + width) / cell)
        return np.asarray(Image.fromarray(nodes).resize((size, size), Image.Resampling.BICUBIC, box=box))


def paint_eye(
    eye: Eye, window: Window, size: int, rng: np.random.Generator, *, pallor: float, vessel_contrast: float
) -> tuple[np.ndarray, np.ndarray]:
    """Scene (3, S, S) and labels (S, S) uint8: 0 background, 1 rim, 2 cup. ``pallor`` and contrast as in ``Camera``."""
    x, y = window.grid(size, eye.side)
    angle, disc, cup = locate(eye.disc, eye.cup, eye.cup_centre, x, y)
    coarse, patchy, fine = (window.texture(rng, cell, size) for cell in (0.8, 0.28, 0.08))
    scene = paint_retina(eye, coarse, patchy, fine)
    scene = paint_surroundings(scene, eye, angle, disc, patchy, rng.uniform(0, 0.6))
    inside = soft_step(1 - disc, rng.uniform(0.012, 0.045))
    pale = pallor + rng.normal(0, 0.1)
    scene = blend(scene, paint_disc(eye, cup, x / (disc + 0.5), patchy, fine, pale), inside)
    scene *= 1 + 0.025 * fibres(angle, disc, patchy, rng)
    scene *= np.exp(-vessel_depth(eye, window, size) * vessel_contrast - eye.lens * LENS)
    mask = (disc < 1).astype(np.uint8) + ((disc < 1) & (cup < 1))
    return np.clip(scene, 0, 1, out=scene), mask


def soft_step(distance: np.ndarray, softness: float | np.ndarray) -> np.ndarray:
    """From 0 far below ``distance`` 0 to 1 far above, with a ramp of about four ``softness``."""
    return 0.5 + 0.5 * np.tanh(distance / (2 * softness))


def blend(below: np.ndarray, above: np.ndarray, opacity: np.ndarray) -> np.ndarray:
    """``above`` (a scene or a colour) over the scene ``below`` with ``opacity`` (S, S)."""
    mixed = above - below
    mixed *= opacity
    mixed += below
    return mixed


def paint_retina(eye: Eye, coarse: np.ndarray, patchy: np.ndarray, fine: np.ndarray) -> np.ndarray:
    """Pigment epithelium with the vessels of the choroid shining through."""
    pigment = np.clip(eye.pigment + 0.10 * coarse + 0.05 * patchy, -0.1, 1.1)
    bands = np.exp(-1.5 * (0.35 * coarse + patchy) ** 2) - 0.6
    scene = LIGHT_RETINA + pigment * (DARK_RETINA - LIGHT_RETINA)
    scene += (eye.tessellation * bands) * CHOROID
    spots = np.maximum(fine - 2.3, 0) - np.maximum(-2.5 - fine, 0)  # drusen and pigment
    scene *= 1 + 0.015 * fine + 0.25 * spots
    return scene


def paint_surroundings(
    scene: np.ndarray, eye: Eye, angle: np.ndarray, disc: np.ndarray, patchy: np.ndarray, ring: float
) -> np.ndarray:
    """Shade around the disc, the scleral ring with opacity ``ring``, and atrophy with its pigmented border."""
    facing = 0.5 + 0.5 * np.cos(angle - eye.atrophy_angle)
    scene = scene * (1 + 0.25 * np.exp(-7 * np.maximum(disc - 1, 0)) - 0.2 * np.exp(-2.5 * np.abs(disc - 1)))
    if eye.atrophy:
        edge = 1 + eye.atrophy * facing**2 * (1 + 0.15 * patchy)
        scene = blend(scene, ATROPHY, (0.75 + 0.1 * patchy) * facing * soft_step(edge - disc, 0.03))
        border = np.exp(-(((disc - edge) / 0.07) ** 2)) * facing**2
        scene = blend(scene, PIGMENT, 0.5 * border * np.clip(0.4 + 0.6 * patchy, 0, 1))
    return blend(scene, SCLERA, ring * facing * np.exp(-(((disc - 1.04) / 0.04) ** 2)))


def paint_disc(
    eye: Eye, cup: np.ndarray, temporal: np.ndarray, patchy: np.ndarray, fine: np.ndarray, pallor: float
) -> np.ndarray:
    """Pink rim, redder on the nasal side, and the pale cup with the pores of its floor; ``temporal`` is -1 to 1."""
    shade = np.clip(0.10 * temporal + 0.025 * patchy, -0.2, 0.2)
    rim = (RIM + pallor * (CUP - RIM)) * (1 + shade * colour(0.6, 1.2, 1.2))
    slope = 0.035 + 0.14 * (1.1 - eye.cup_depth) * np.clip(0.7 + temporal, 0.4, 1.6)  # the temporal wall is flat
    disc = blend(rim, CUP, (0.5 + 0.5 * eye.cup_depth) * soft_step(1 - cup, slope))
    pores = np.clip(1 - cup / 0.8, 0, 1) * np.clip(fine, 0, 1.5)
    return disc * (1 - 0.12 * eye.cup_depth * pores)


def fibres(angle: np.ndarray, disc: np.ndarray, patchy: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Radial streaks (S, S) of the nerve-fibre layer, strongest near the rim above and below."""
    table = Image.fromarray(rng.standard_normal((1, 240), dtype=np.float32)).resize((1920, 1), Image.Resampling.BICUBIC)
    streaks = lookup(np.asarray(table)[0], angle + 0.15 * (disc - 1) * np.sin(2 * angle))
    return streaks * np.exp(-1.2 * (disc - 1.2) ** 2) * np.abs(np.sin(angle)) * np.clip(0.7 + patchy, 0, 1.5)


def vessel_depth(eye: Eye, window: Window, size: int) -> np.ndarray:
    """Optical depth (3, S, S) of the vessels; arteries lie before veins."""
    scale, offset = np.array([window.radius * eye.side, window.radius]), np.array([window.x, window.y])
    veins, arteries = draw_vessels(eye.vessels, scale, offset, size)
    return veins * (1 - 0.6 * arteries) * VEIN + arteries * ARTERY
