"""Simulated full fundus photographs: a round field of view in a dark frame, with the disc somewhere in it, or nowhere.

The eye, its colours and the cameras are those of the simulated crops; the field adds the macula, the arcades beyond the
crop, lesions as bright as a disc, and the frame. Disc and field keep the proportion of photographs of 30 to 50 degrees:
a disc of 1.8 mm is a ninth to a fifth of their diameter, and the macula lies two and a half disc diameters from it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from PIL import Image

from monai_sfda.organs.fundus.simulated.anatomy import Eye, draw_eye
from monai_sfda.organs.fundus.simulated.cameras import Camera, photograph
from monai_sfda.organs.fundus.simulated.field_frame import draw_frame, put_in_frame
from monai_sfda.organs.fundus.simulated.lesions import paint_lesions, paint_macula, paint_reflexes, paint_sheen
from monai_sfda.organs.fundus.simulated.paint import Window, paint_eye
from monai_sfda.organs.fundus.simulated.vessels import STEP, Vessel, tree

__all__ = ["FullPhotograph", "simulate_full"]

SMALLEST = 96  # pixels of frame height; below it the smallest cups would be a pixel or two
CROP_DISCS = 2.1  # disc diameters across a simulated crop, for which the blur of the cameras was set
MACULA = (5.0, 0.4)  # disc radii from the disc centre


class FullPhotograph(NamedTuple):
    """A photograph and its truth; lengths in pixels, x to the right, y downwards, (0, 0) the corner of the frame."""

    image: np.ndarray
    """RGB (H, W, 3) uint8."""
    mask: np.ndarray
    """(H, W) uint8: 0 background, 1 disc rim, 2 cup."""
    centre: tuple[float, float]
    """(x, y) of the disc, outside the field if ``mask`` is empty."""
    diameter: float
    """The disc's longest diameter."""


class FieldWindow(Window):
    """A window whose textures reach as far as the field does."""

    def texture(self, rng: np.random.Generator, cell: float, size: int) -> np.ndarray:
        reach = 1 + max(self.x, 1 - self.x, self.y, 1 - self.y) / self.radius
        nodes = rng.standard_normal((int(2 * reach / cell),) * 2, dtype=np.float32)
        left, top, width = reach - self.x / self.radius, reach - self.y / self.radius, 1 / self.radius
        box = (left / cell, top / cell, (left + width) / cell, (top + width) / cell)
        return np.asarray(Image.fromarray(nodes).resize((size, size), Image.Resampling.BICUBIC, box=box))


def simulate_full(
    index: int, *, camera: Camera, height: int = 480, seed: int = 0, mean_vcdr: float = 0.5, disc: bool = True
) -> FullPhotograph:
    """Photograph the whole field of eye ``index`` of the population ``seed``.

    Fields are centred on the disc, on the macula or between them, of left and right eyes; their circle is whole, or
    cut above and below. Everything but the light depends on ``seed``, ``index`` and ``disc`` alone.

    Args:
        index: which eye, from 0.
        camera: what photographs it; its framing (``disc_share``, ``off_centre``) is not used.
        height: of the frame in pixels, at least 96; its width follows from the camera body drawn.
        seed: which population.
        mean_vcdr: see `simulate_fundus`.
        disc: False turns the eye until the disc is out of the field; ``mask`` is then all 0.

    Raises:
        ValueError: if ``height`` is below 96.
    """
    if height < SMALLEST:
        raise ValueError(f"Expected a height of at least {SMALLEST} pixels, found {height}.")
    streams = np.random.SeedSequence([seed, index, int(disc)]).spawn(5)
    anatomy, framing, colours, lesions, exposure = (np.random.default_rng(stream) for stream in streams)
    eye = draw_eye(anatomy, mean_vcdr)
    vessels = thicken(eye.vessels, anatomy.uniform(0.9, 2.6))
    eye = replace(eye, vessels=(*vessels, *lengthen(vessels, anatomy)))
    frame = draw_frame(framing, height)
    discs = framing.uniform(4.8, 9)  # disc diameters across the field
    window = place(eye, framing, discs, disc, height / 2 / frame.radius)
    size = frame.size()
    scene, ids = paint_eye(eye, window, size, colours, pallor=camera.pallor, vessel_contrast=camera.vessel_contrast)
    x, y = window.grid(size, eye.side)
    scene = paint_sheen(scene, x, y, lesions)
    scene = paint_macula(scene, x - MACULA[0], y - MACULA[1], lesions)
    scene = paint_lesions(scene, x, y, window.texture(colours, 0.3, size), lesions, keep_out=MACULA)
    scene = paint_reflexes(scene, lesions)
    low, high = camera.blur
    sharper = replace(camera, blur=(low * CROP_DISCS / discs, high * CROP_DISCS / discs))
    image, mask = put_in_frame(photograph(scene, sharper, exposure), ids, frame, camera, exposure)
    left, top = frame.corner()
    centre = left + window.x * size, top + window.y * size
    return FullPhotograph(image, mask, centre, 2 * window.radius * size)


def thicken(vessels: tuple[Vessel, ...], factor: float) -> tuple[Vessel, ...]:
    """Vessels whose trunks are ``factor`` times as wide, and their finest branches as they were."""
    return tuple(
        vessel._replace(width=vessel.width * (1 + (factor - 1) * np.clip(vessel.width / 0.05, 0, 1)))
        for vessel in vessels
    )


def lengthen(vessels: tuple[Vessel, ...], rng: np.random.Generator) -> list[Vessel]:
    """What continues the long vessels of a crop to the edge of the field."""
    beyond: list[Vessel] = []
    for vessel in vessels:
        if len(vessel.points) * STEP < 3.9 or vessel.width[-1] < 0.02:
            continue
        (x, y), before = vessel.points[-1], vessel.points[-4]
        bend = -np.sign(y) * rng.uniform(0, 0.5) if x > 0 else rng.normal(0, 0.2)
        heading = float(np.arctan2(y - before[1], x - before[0]))
        beyond += tree(rng, vessel.points[-1], heading, bend, rng.uniform(6, 10), vessel.width[-1], vessel.artery)
    return beyond


def place(eye: Eye, rng: np.random.Generator, discs: float, inside: bool, shown: float) -> FieldWindow:
    """Where the disc lies in the square around the field; ``shown`` is the share of the field's height in the frame."""
    centre = rng.uniform(0, 1) * np.array(MACULA) if rng.random() < 0.3 else rng.choice(([0, 0], MACULA))
    centre = centre + rng.normal(0, 0.6, 2)
    room = discs * min(1.0, shown) - 1.3  # disc radii
    if inside:
        centre *= min(1.0, room / np.hypot(*centre))
    else:
        towards = rng.normal(0, 0.6) if rng.random() < 0.7 else rng.uniform(-np.pi, np.pi)  # mostly temporal
        centre = (discs + rng.uniform(1.3, 4)) * np.array([np.cos(towards), np.sin(towards)])
    radius = 0.5 / discs
    return FieldWindow(0.5 - eye.side * centre[0] * radius, 0.5 - centre[1] * radius, radius)
