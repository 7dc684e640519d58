"""Where the optic disc is in a photograph."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from scipy.ndimage import label
from torch import Tensor

from monai_sfda.organs.fundus.locate.field_of_view import Field, field_picture, standardise

__all__ = ["Location", "locate_disc", "read_map", "same_disc"]

SIZE = 128  # side of the picture that the network sees; a disc is 16 pixels across there, or more
SMALLEST = 12.0  # diameter there below which a disc is doubtful: a tenth of the field of view, or less
NEAR, ALIKE = 0.2, 1.4  # how far centres, in diameters, and diameters of two looks at one disc may differ
LONGEST = 1.05  # longest diameter of a disc per diameter of the circle of its area


class Location(NamedTuple):
    """The most likely place of the disc, in pixels of the photograph: x to the right, y downwards."""

    x: float
    y: float
    diameter: float
    """Longest diameter; 0 where nothing looks like a disc."""
    confidence: float
    """In [0, 1]: mean probability within the outline found, less where it is smaller than discs are; or the highest
    probability if that is below a half."""


def locate_disc(
    image: Tensor, part: Field, network: Callable[[Tensor], Tensor], *, upside_down: bool = False
) -> Location:
    """Find the disc in the lit part of a photograph of any size, framing and scale, or in a smaller part of it.

    The part is shrunk to 128 x 128 pixels and standardised, and the network marks the disc in it. A search without a
    network is measured beside it by ``scripts/benchmark_localise.py --classical``.

    Args:
        image: (3, H, W), 0..255.
        part: where to look, such as the field of view (`find_field`).
        network: (1, 3, 128, 128) standardised -> logits (1, 1, 128, 128).
        upside_down: show the network the part turned by 180 degrees; the place is that in ``image`` all the same.
    """
    picture, scale, (left, top) = field_picture(image, part, SIZE)
    picture = standardise(picture, part.level)[None]
    with torch.no_grad():
        logits = network(picture.flip(2, 3)).flip(2, 3) if upside_down else network(picture)
    x, y, diameter, confidence = read_map(logits[0, 0].sigmoid().numpy())
    return Location(left + x * scale, top + y * scale, diameter * scale, confidence)


def same_disc(one: Location, other: Location) -> bool:
    """Whether two searches found the same disc: similar centres and similar diameters."""
    smaller, larger = sorted((one.diameter, other.diameter))
    distance = math.hypot(one.x - other.x, one.y - other.y)
    return smaller > 0 and larger <= ALIKE * smaller and distance <= NEAR * one.diameter


def read_map(probability: np.ndarray) -> Location:
    """The disc in a map (S, S) of its probability: the connected part above a half with most of it."""
    parts, count = label(probability > 0.5)
    if not count:
        row, column = np.unravel_index(probability.argmax(), probability.shape)
        return Location(float(column) + 0.5, float(row) + 0.5, 0.0, float(probability.max()))
    mass = np.bincount(parts.ravel(), probability.ravel())[1:]
    best = parts == mass.argmax() + 1
    rows, columns = np.nonzero(best)
    diameter = LONGEST * 2 * math.sqrt(len(rows) / math.pi)
    confidence = float(probability[best].mean()) * min(1.0, (diameter / SMALLEST) ** 2)
    return Location(float(columns.mean()) + 0.5, float(rows.mean()) + 0.5, diameter, confidence)
