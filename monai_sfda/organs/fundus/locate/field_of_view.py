"""The lit part of a photograph, and the small square picture of it that a localiser works on."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from scipy.ndimage import binary_opening, find_objects, label
from torch import Tensor
from torch.nn.functional import interpolate, pad

__all__ = ["Field", "field_picture", "find_field", "shows_round_field", "standardise"]

WORKING = 256  # longest side in pixels at which the field is sought
DARKEST = 6  # grey level of 255 under which a whole picture counts as black
LIT = 0.2  # lit pixels have this share of the bright ones' level ...
BRIGHT = 30  # ... or this grey level
CORNER = 0.08  # legs of the triangles in the corners of a field, as a share of its shorter side


class Field(NamedTuple):
    """Smallest upright rectangle around the lit part of a picture, in its pixels: all of it for a crop."""

    left: int
    top: int
    right: int
    bottom: int
    level: float
    """Grey level above which the brightest channel of a pixel counts as lit."""


def find_field(image: Tensor) -> Field | None:
    """The field of view of ``image`` (3, H, W), 0..255; None if the picture is black.

    The largest connected part of the thresholded thumbnail. The threshold follows the picture's own
    brightness, so that dark photographs keep their field, and stays low, so that a dark macula does not divide it.
    """
    height, width = image.shape[1:]
    step = max(1, max(height, width) // WORKING)
    level = image[:, ::step, ::step].amax(0).numpy()
    bright = float(np.quantile(level, 0.95))
    if bright < DARKEST:
        return None
    threshold = min(BRIGHT, LIT * bright)
    parts, count = label(binary_opening(level > threshold, iterations=2))
    if not count:
        return None
    largest = np.bincount(parts.ravel())[1:].argmax() + 1
    rows, columns = find_objects(parts)[largest - 1]
    return Field(
        columns.start * step,
        rows.start * step,
        min(width, columns.stop * step),
        min(height, rows.stop * step),
        threshold,
    )


def shows_round_field(image: Tensor, field: Field) -> bool:
    """Whether the field is that of a whole photograph: round, so that all four corners of its rectangle are dark.

    A crop fills its rectangle, or has one or two dark corners where it reaches the edge of the field. A circle that the
    sensor cuts above and below has four.

    Args:
        image: (3, H, W), 0..255.
        field: of that image.
    """
    step = max(1, max(image.shape[1:]) // WORKING)
    lit = image[:, field.top : field.bottom : step, field.left : field.right : step].amax(0) > field.level
    legs = max(2, round(CORNER * min(lit.shape)))
    corner = torch.ones(legs, legs).triu().flip(1).bool()  # the right angle is at (0, 0)
    turned = (lit, lit.flip(0), lit.flip(1), lit.flip(0, 1))
    return all(bool((~one[:legs, :legs])[corner].float().mean() > 0.5) for one in turned)


def field_picture(image: Tensor, field: Field, size: int) -> tuple[Tensor, float, tuple[float, float]]:
    """The field in a small square, black where the square reaches beyond it.

    Args:
        image: (3, H, W), 0..255.
        field: of that image.
        size: side of the result in pixels.

    Returns:
        Picture (3, size, size) in 0..255, pixels of the image per pixel of the picture, (x, y) of its corner in the
        image.
    """
    picture = image[:, field.top : field.bottom, field.left : field.right]
    height, width = picture.shape[1:]
    side = max(height, width)
    corner = (field.left - (side - width) / 2, field.top - (side - height) / 2)
    step = max(1, side // (2 * size))  # large photographs cost no more than small ones
    picture = picture[:, ::step, ::step].float()
    rows, columns = picture.shape[1:]
    square = max(rows, columns)
    left, top = (square - columns) // 2, (square - rows) // 2
    picture = pad(picture, (left, square - columns - left, top, square - rows - top))
    return interpolate(picture[None], (size, size), mode="bilinear", antialias=True)[0], side / size, corner


def standardise(picture: Tensor, level: float) -> Tensor:
    """Mean 0 and deviation 1 in each channel (3, *S) over the pixels brighter than ``level``; 0 in the others."""
    lit = picture.amax(0) > level
    values = picture[:, lit]
    if values.shape[1] < 2:
        return torch.zeros_like(picture)
    mean, std = (v[:, None, None] for v in (values.mean(1), values.std(1)))
    return (picture - mean) / (std + 1) * lit
