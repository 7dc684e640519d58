"""Retinal vessels of a simulated eye: smooth curves that leave the cup, arch over the rim and branch.

Lengths are in disc radii; x grows towards the macula, y downwards (as in ``fundus_anatomy``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

__all__ = ["Vessel", "draw_vessels", "grow_vessels"]

STEP = 0.07  # disc radii between the points of a vessel
FINEST = 0.035  # width in disc radii below which a vessel has no side branches
SUPERSAMPLING = 2
TEMPORAL = np.array([1.0, 0.0])
# Cross-sections as (share of the width, ink): a dark rim of the tube, a darker core, and on arteries a light reflex.
VEIN = ((1.0, 140), (0.75, 215), (0.45, 255))
ARTERY = ((1.0, 140), (0.75, 220), (0.28, 150))


class Vessel(NamedTuple):
    """A tube along ``points`` (N, 2) with ``width`` (N,), both in disc radii."""

    points: np.ndarray
    width: np.ndarray
    artery: bool


def grow_vessels(rng: np.random.Generator, hilum: np.ndarray) -> Iterator[Vessel]:
    """All vessels of one eye: from ``hilum`` (2,), a vein and an artery go up and down, fine ones to either side.

    Each trunk divides, mostly on the rim, into an arcade that arches around the macula and a straighter nasal branch.
    """
    calibre = rng.uniform(0.85, 1.15)
    for artery in (False, True):
        width = calibre * (rng.uniform(0.085, 0.11) if artery else rng.uniform(0.12, 0.15))
        for up in (-1, 1):
            start = rng.normal(hilum + 0.08 * artery * TEMPORAL, 0.05)
            trunk = course(rng, start, up * rng.normal(1.65, 0.25), 0.0, rng.uniform(0.25, 0.9), 0.6)
            yield Vessel(trunk, width * np.clip(0.4 + 0.2 * np.arange(len(trunk)), 0, 1), artery)
            end = trunk[-1]
            yield from tree(rng, end, up * rng.uniform(1.1, 1.5), -up * rng.uniform(0.3, 1), 4.5, 0.85 * width, artery)
            yield from tree(
                rng, end, up * rng.uniform(1.9, 2.6), up * rng.uniform(-0.2, 0.5), 4.0, 0.65 * width, artery
            )
        for _ in range(rng.integers(1, 4)):
            yield from tree(rng, hilum, rng.normal(0, 0.7), 0.0, 3.0, rng.uniform(0.2, 0.4) * width, artery)
        if rng.random() < 0.6:
            yield from tree(rng, hilum, np.pi + rng.normal(0, 0.3), 0.0, 3.0, 0.4 * width, artery)


def course(
    rng: np.random.Generator, start: np.ndarray, heading: float, turn: float, length: float, wriggle: float = 1.0
) -> np.ndarray:
    """Points (N, 2) of a path that leaves ``start`` at angle ``heading``, turns by ``turn`` in all, and wriggles."""
    s = np.arange(0, length, STEP)
    angle = heading + turn * np.minimum(s / 4, 1)
    for shortest, swing in ((0.5, 0.18), (1.2, 0.26)):
        wavelength, phase = shortest * rng.uniform(1, 2.2), rng.uniform(0, 2 * np.pi)
        sway = np.sin(2 * np.pi / wavelength * s + phase) - np.sin(phase) * np.exp(-s)  # none where it starts
        angle += wriggle * swing * rng.normal() * sway
    steps = np.empty((len(s) + 1, 2))
    steps[0], steps[1:, 0], steps[1:, 1] = start, STEP * np.cos(angle), STEP * np.sin(angle)
    return steps.cumsum(0)


def tree(
    rng: np.random.Generator, start: np.ndarray, heading: float, turn: float, length: float, width: float, artery: bool
) -> Iterator[Vessel]:
    """A vessel and its side branches, thinner and shorter at each generation."""
    fine = width < 2 * FINEST
    points = course(rng, start, heading, turn, length, 1.0 if fine else 0.6)
    taper = width * (1 - 0.4 / len(points) * np.arange(len(points)))
    yield Vessel(points, taper, artery)
    if width < FINEST or length < 0.8:
        return
    sign = rng.choice((-1, 1))
    for at in np.sort(rng.uniform(0.35 if fine else 0.1, 0.85, size=rng.integers(2, 4))):
        i = max(1, int(at * len(points)))
        along = np.arctan2(*(points[i] - points[i - 1])[::-1])
        sign = -sign
        leave, back = sign * rng.uniform(0.35, 0.9), -sign * rng.uniform(0, 0.7)
        rest, share = length * (1 - at) * rng.uniform(0.5, 1.0), rng.uniform(0.35, 0.65)
        yield from tree(rng, points[i], along + leave, back, rest, taper[i] * share, artery)


def draw_vessels(vessels: Sequence[Vessel], scale: np.ndarray, offset: np.ndarray, size: int) -> np.ndarray:
    """Optical depth in [0, 1] of veins and arteries, (2, size, size) float32.

    Args:
        scale: (2,) from eye coordinates (x, y) to shares of the crop's width; x may be negative.
        offset: (2,) the disc centre in the same shares.
    """
    side = size * SUPERSAMPLING
    veins, arteries = Image.new("L", (side, side)), Image.new("L", (side, side))
    for image, artery, section in ((veins, False, VEIN), (arteries, True, ARTERY)):
        tubes = [tube(v, scale * side, offset * side) for v in vessels if v.artery == artery]
        tubes = [(xy, across) for xy, across in tubes if ((xy > 0) & (xy < side)).all(1).any()]
        pen = ImageDraw.Draw(image)
        for share, ink in section:  # layer by layer, so that branches join without a seam
            for xy, across in tubes:
                if share < 1 and np.abs(across[0]).max() < 1.5 * SUPERSAMPLING:
                    continue
                strip = np.concatenate([xy + share * across, (xy - share * across)[::-1]])
                pen.polygon(strip.ravel().tolist(), fill=ink)
    return np.stack([np.asarray(image.reduce(SUPERSAMPLING), np.float32) / 255 for image in (veins, arteries)])


def tube(vessel: Vessel, scale: np.ndarray, offset: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pixels of the centre line and half-width vectors across it, both (N, 2)."""
    xy = vessel.points * scale + offset
    along = np.empty_like(xy)
    along[1:-1], along[0], along[-1] = xy[2:] - xy[:-2], xy[1] - xy[0], xy[-1] - xy[-2]
    half = vessel.width * (scale[1] / 2) / (np.hypot(along[:, 0], along[:, 1]) + 1e-9)
    return xy, along[:, ::-1] * half[:, None] * (1, -1)
