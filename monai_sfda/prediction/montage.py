"""Slices of a volume side by side, with the outlines of a predicted label map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from monai_sfda.findings import Findings
from monai_sfda.pieces import bounding_box
from monai_sfda.prediction.geometry import structure_masks
from monai_sfda.prediction.no_findings import NO_FINDINGS
from monai_sfda.report.pictures import contact_sheet, outline_overlay
from monai_sfda.volumes import Grid, Volume, read_volume
from monai_sfda.volumes.intensity import Percentiles, scaled
from monai_sfda.volumes.labels import label_on

__all__ = ["draw_montage", "read_montage"]

SHOWN = Percentiles(0.5, 99.5)
MARGIN = 0.75  # around what is found, in its own sides
LEAST = 0.35  # of the sides of a slice that are shown
GAP = 2


def read_montage(item: Mapping[str, Any], mask: Path) -> tuple[np.ndarray, np.ndarray]:
    """Grey levels in [0, 1] and ids of a volume as a radiologist sees it, (slices, rows, columns) with square pixels.

    Args:
        item: with ``image``, path or paths, and perhaps ``frame``.
        mask: label map on its voxels.

    Raises:
        ValueError: if one of them cannot be read, or they do not fit each other.
    """
    volume = read_volume(item["image"], item.get("frame"))
    grid, ids = _square(volume), label_on(volume, read_volume(mask))
    return grid.to_network(scaled(volume.values, SHOWN)).numpy(), grid.to_network(ids, mode="nearest").numpy()


def draw_montage(
    grey: np.ndarray,
    ids: np.ndarray,
    classes: Mapping[int, str],
    findings: Findings = NO_FINDINGS,
    *,
    tiles: int,
    tile: int,
    columns: int,
    near: bool,
) -> np.ndarray:
    """At most so many slices of a volume, numbered from 1 in the order of the file, with the outline of each structure.

    They are spread evenly from the slice before the first that shows a structure to the one behind the last; over the
    whole volume if none does.

    Args:
        grey: (slices, rows, columns) in [0, 1].
        ids: as many, class of each voxel.
        classes: id -> name.
        findings: what the organ adds; the outline of a structure goes around what lies inside it as well.
        tiles: slices to show at most.
        tile: longest side of a slice in the montage, in pixels.
        columns: slices in a row.
        near: whether to cut the slices to the surroundings of what is found.
    """
    found = bounding_box(ids != 0, margin=1)
    first, last = (found[0].start, min(found[0].stop, len(ids))) if found[0].stop else (0, len(ids))
    chosen = np.unique(np.linspace(first, last - 1, min(tiles, last - first)).round().astype(int))
    window = _around(found[1:], ids.shape[1:]) if near and found[0].stop else (slice(None), slice(None))
    pictures = []
    for number in chosen:
        picture, labels = _enlarged(grey[number][window], ids[number][window], tile)
        masks = structure_masks(labels, classes, findings.inside)
        pictures.append(_numbered(outline_overlay(picture, np.stack(list(masks.values()))), int(number) + 1))
    return contact_sheet(pictures, columns, gap=GAP)


def _square(volume: Volume) -> Grid:
    """Slices along the axis of the slices, at the smaller side of a pixel in them."""
    along = Grid.of(volume, (1.0, 1.0)).axes[0]
    side = float(np.delete(volume.zooms, along).min())
    return Grid.of(volume, (side, side))


def _around(box: Sequence[slice], shape: Sequence[int]) -> tuple[slice, ...]:
    """A square around a box, or as much of it as there is."""
    extent = max(side.stop - side.start for side in box)
    half = round(max((0.5 + MARGIN) * extent, LEAST / 2 * max(shape)))
    middles = [(side.start + side.stop) // 2 for side in box]
    return tuple(
        slice(max(0, middle - half), min(size, middle + half)) for middle, size in zip(middles, shape, strict=True)
    )


def _enlarged(grey: np.ndarray, ids: np.ndarray, tile: int) -> tuple[np.ndarray, np.ndarray]:
    """A picture (H, W, 3) uint8 and its ids, the longest side as long as ``tile``."""
    scale = tile / max(grey.shape)
    size = max(1, round(scale * grey.shape[1])), max(1, round(scale * grey.shape[0]))
    small = Image.fromarray((255 * grey).round().astype(np.uint8)).resize(size, Image.Resampling.BICUBIC)
    labels = Image.fromarray(ids.astype(np.uint8)).resize(size, Image.Resampling.NEAREST)
    return np.stack([np.asarray(small)] * 3, axis=-1), np.asarray(labels)


def _numbered(picture: np.ndarray, number: int) -> np.ndarray:
    drawn = Image.fromarray(picture)
    font = ImageFont.load_default(max(10, picture.shape[1] // 12))
    ImageDraw.Draw(drawn).text((4, 2), str(number), fill="white", stroke_width=1, stroke_fill="black", font=font)
    return np.asarray(drawn)
