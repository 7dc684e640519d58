"""The shape of one simulated eye: disc, cup and vessels, before any camera sees it.

Lengths are in disc radii from the disc centre: x grows towards the macula (temporal), y grows downwards.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from monai_sfda.organs.fundus.simulated.vessels import Vessel, grow_vessels

__all__ = ["Eye", "draw_eye", "lookup"]

ANGLES = 2048  # entries of an outline table: at a disc radius of 100 pixels neighbours are 0.3 pixels apart
MARGIN = 0.05  # rim left all round the cup, in disc radii


@dataclass(frozen=True, kw_only=True)
class Eye:
    """One eye. Outlines are tables (ANGLES,) of radius by angle over [-pi, pi).

    Args:
        disc: outline of the disc, largest radius 1.
        cup: outline of the cup about ``cup_centre`` in the plane where the disc is stretched to the unit circle,
            so that a cup within the unit circle lies within the disc.
        cup_depth: 0 shallow to 1 deep: how clearly colour and vessels show the cup's edge.
        pigment: 0 blond to 1 dark fundus.
        tessellation: 0 to 1, how far the vessels of the choroid shine through.
        lens: 0 clear to 1 yellow, the colour of the eye's own lens.
        atrophy: width of the peripapillary crescent in disc radii, 0 for none.
        atrophy_angle: where that crescent is widest, 0 is temporal.
        side: 1 if the temporal side is on the right of a picture, else -1.
        vessels: veins and arteries.
    """

    disc: np.ndarray
    cup: np.ndarray
    cup_centre: tuple[float, float]
    cup_depth: float
    pigment: float
    tessellation: float
    lens: float
    atrophy: float
    atrophy_angle: float
    side: int
    vessels: tuple[Vessel, ...]


def draw_eye(rng: np.random.Generator, mean_vcdr: float) -> Eye:
    """Draw one eye; ``mean_vcdr`` is the median vertical cup-to-disc ratio of the population, in (0, 1)."""
    disc = outline(rng, rng.uniform(0.98, 1.18), 0.025)
    disc /= disc.max()
    cup, centre = draw_cup(rng, mean_vcdr)
    depth = rng.uniform(0.3, 1.0)
    return Eye(
        disc=disc,
        cup=cup,
        cup_centre=centre,
        cup_depth=depth,
        pigment=rng.beta(2, 2),
        tessellation=rng.beta(1.2, 2),
        lens=rng.beta(1.5, 1.5),
        atrophy=rng.uniform(0.12, 0.45) if rng.random() < 0.35 else 0.0,
        atrophy_angle=rng.normal(0.3, 0.5),
        side=1 if rng.random() < 0.5 else -1,
        vessels=draw_bent_vessels(rng, disc, cup, centre, depth),
    )


def draw_cup(rng: np.random.Generator, mean_vcdr: float) -> tuple[np.ndarray, tuple[float, float]]:
    """Cup outline and centre in the unit disc; the vertical cup-to-disc ratio scatters by about 0.13."""
    odds = np.log(mean_vcdr / (1 - mean_vcdr)) + 0.55 * rng.normal()
    vcdr = np.clip(1 / (1 + np.exp(-odds)), 0.15, 0.88)
    cup = outline(rng, rng.uniform(0.92, 1.12), 0.05)
    height = np.ptp(cup * np.sin(np.linspace(-np.pi, np.pi, ANGLES, endpoint=False))) / 2
    cup = np.minimum(cup * np.float32(vcdr / height), 1 - MARGIN)
    shift = (1 - MARGIN - cup.max()) * rng.uniform(0.1, 0.7)
    towards = rng.normal(0, 0.6)  # mostly temporal: the nasal rim is the thicker one
    return cup, (float(shift * np.cos(towards)), float(shift * np.sin(towards)))


def outline(rng: np.random.Generator, stretch: float, roughness: float) -> np.ndarray:
    """Closed curve (ANGLES,) of radius about 1, ``stretch`` times as high as wide, with a few smooth bumps."""
    angle = np.linspace(-np.pi, np.pi, ANGLES, endpoint=False, dtype=np.float32)
    radius = 1 / np.hypot(np.cos(angle) * stretch**0.5, np.sin(angle) / stretch**0.5)
    for wave in range(2, 6):
        radius *= 1 + roughness / wave * rng.normal() * np.cos(wave * angle + rng.uniform(0, 2 * np.pi))
    return radius.astype(np.float32)


def lookup(table: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Entries of a periodic table over [-pi, pi) at each angle."""
    return table.take(((angle + np.pi) * (len(table) / (2 * np.pi))).astype(np.int32), mode="wrap")


def locate(
    disc: np.ndarray, cup: np.ndarray, cup_centre: tuple[float, float], x: np.ndarray, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Angle about the disc centre, and distances from the centres of disc and cup that are 1 on their edges."""
    angle = np.arctan2(y, x)
    scale = 1 / lookup(disc, angle)
    dx, dy = x * scale - cup_centre[0], y * scale - cup_centre[1]
    return angle, np.hypot(x, y) * scale, np.hypot(dx, dy) / lookup(cup, np.arctan2(dy, dx))


def draw_bent_vessels(
    rng: np.random.Generator, disc: np.ndarray, cup: np.ndarray, centre: tuple[float, float], depth: float
) -> tuple[Vessel, ...]:
    """Vessels that step sideways where they climb over the edge of the cup, the more so the deeper it is."""
    radius = float(cup.mean())
    hilum = np.array([centre[0] - rng.uniform(0.25, 0.7) * radius, centre[1] + rng.normal(0, 0.06)])
    vessels = list(grow_vessels(rng, hilum))
    x, y = np.concatenate([vessel.points for vessel in vessels]).T
    angle, _, from_cup = locate(disc, cup, centre, x, y)
    twist = sum(rng.normal(0, 0.28) * np.cos(wave * angle + rng.uniform(0, 2 * np.pi)) for wave in (1, 2))
    twist = depth * twist / (1 + np.exp((from_cup - 1) / 0.1))  # about the cup's centre, only within the cup
    dx, dy, cos, sin = x - centre[0], y - centre[1], np.cos(twist), np.sin(twist)
    bent = np.stack([centre[0] + dx * cos - dy * sin, centre[1] + dx * sin + dy * cos], 1)
    pieces = np.split(bent, np.cumsum([len(vessel.points) for vessel in vessels])[:-1])
    return tuple(vessel._replace(points=piece) for vessel, piece in zip(vessels, pieces, strict=True))
