"""Outlines of a predicted label map on its photograph or volume: thumbnails of the report, and whole pictures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from monai_sfda.files import whole_file
from monai_sfda.findings import Findings
from monai_sfda.imageio import PhotoReader
from monai_sfda.mask_file import is_volume
from monai_sfda.prediction.convert_masks import outdated
from monai_sfda.prediction.geometry import structure_masks
from monai_sfda.prediction.montage import draw_montage, read_montage
from monai_sfda.prediction.no_findings import NO_FINDINGS
from monai_sfda.report.pictures import outline_overlay

__all__ = ["draw_overlay", "thumbnail", "write_overlays"]

LONGEST_SIDE = 1600
CLOSE_UP = 0.35  # structures that are narrower than this share of the photograph are shown from nearby
MARGIN = 1.0  # around them, in their own widths
SMALL: dict[str, Any] = {"tiles": 12, "columns": 4}
LARGE: dict[str, Any] = {"tiles": 40, "columns": 5, "tile": 320}


def draw_overlay(
    image: np.ndarray, ids: np.ndarray, classes: Mapping[int, str], findings: Findings = NO_FINDINGS, *, size: int
) -> np.ndarray:
    """The photograph, its longest side at most ``size`` pixels, with the outline of every structure.

    Args:
        image: (H, W, 3) uint8.
        ids: (H, W), class of each pixel.
        classes: id -> name.
        findings: what the organ adds; the outline of a structure goes around what lies inside it as well.
        size: longest side of the result.
    """
    scale = min(1.0, size / max(image.shape[:2]))
    shape = (max(1, round(scale * image.shape[1])), max(1, round(scale * image.shape[0])))
    small = np.asarray(Image.fromarray(image).resize(shape, Image.Resampling.BILINEAR, reducing_gap=2))
    labels = np.asarray(Image.fromarray(ids.astype(np.uint8)).resize(shape, Image.Resampling.NEAREST))
    masks = structure_masks(labels, classes, findings.inside)
    return outline_overlay(small, np.stack(list(masks.values())))


def thumbnail(
    item: Mapping[str, Any], mask: Path, classes: Mapping[int, str], findings: Findings = NO_FINDINGS, *, size: int
) -> np.ndarray | None:
    """Overlay of one case, of small structures only their surroundings if findings say so. None if unreadable.

    Of a volume it is a montage of slices, twice as wide.
    """
    try:
        if is_volume(mask):
            return draw_montage(*read_montage(item, mask), classes, findings, **SMALL, tile=size // 2, near=True)
        picture, ids = _read(item["image"], mask)
    except Exception:  # decoders of damaged files raise nearly everything
        return None
    rows, columns = (np.flatnonzero((ids > 0).any(axis)) for axis in (1, 0))
    if findings.close_up and len(rows):
        extent = max(rows[-1] - rows[0], columns[-1] - columns[0]) + 1
        half = round((0.5 + MARGIN) * extent)
        if extent < CLOSE_UP * max(ids.shape) and 4 * half >= size:  # not where it would show single pixels
            top, left = ((hit[0] + hit[-1]) // 2 - half for hit in (rows, columns))
            near = (slice(max(0, top), top + 2 * half), slice(max(0, left), left + 2 * half))
            picture, ids = picture[near], ids[near]
    return draw_overlay(np.ascontiguousarray(picture), ids, classes, findings, size=size)


def write_overlays(
    folder: Path,
    rows: Iterable[Mapping[str, Any]],
    images: Mapping[str, Mapping[str, Any]],
    classes: Mapping[int, str],
    findings: Findings = NO_FINDINGS,
) -> None:
    """Write ``folder/overlays/<path of the mask>.jpg`` of every row with a readable image; those that are there stay.

    Args:
        folder: output of a prediction, with its ``masks``.
        rows: with ``file`` and ``mask``.
        images: file -> its item, with the path or paths of the ``image``.
        classes: id -> name.
        findings: what the organ adds.
    """
    for row, mask, target in outdated(folder, "overlays", ".jpg", rows):
        try:
            picture = _whole(images[row["file"]], mask, classes, findings)
        except Exception:  # as above; what cannot be drawn costs no result
            continue
        with whole_file(target) as draft:
            Image.fromarray(picture).save(draft, format="JPEG", quality=90)


def _whole(item: Mapping[str, Any], mask: Path, classes: Mapping[int, str], findings: Findings) -> np.ndarray:
    if is_volume(mask):
        return draw_montage(*read_montage(item, mask), classes, findings, **LARGE, near=False)
    return draw_overlay(*_read(item["image"], mask), classes, findings, size=LONGEST_SIDE)


def _read(image: str | Path, mask: Path) -> tuple[np.ndarray, np.ndarray]:
    picture = np.asarray(PhotoReader().decode(Path(image)))
    with Image.open(mask) as file:
        return picture, np.asarray(file)
