"""Pictures of a report: outlines of structures on an image, side by side before and after.

Pictures are (H, W, 3) uint8, structures are (K, H, W) bool with one channel each; they may overlap.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from monai_sfda.pieces import bounding_box

__all__ = ["PALETTE", "CasePicture", "before_after", "contact_sheet", "outline_overlay", "outline_strip", "to_data_uri"]

PALETTE = ("#14c491", "#4477ff", "#e64980", "#f59f00", "#7048e8", "#495057")
"""Outline colour of each channel, told apart by lightness too, for colour-blind readers."""

BLUR_REACH = 3  # pixels over which an outline is smoothed
HALO = 0.45  # opacity of the dark rim that keeps a line visible on a pale optic disc


class CasePicture(NamedTuple):
    """One image of a report with what the source and the adapted network outline on it."""

    case: str
    image: np.ndarray
    """(H, W, 3) uint8."""
    before: np.ndarray
    """(K, H, W) bool, by the source network."""
    after: np.ndarray
    """(K, H, W) bool, by the adapted network."""
    note: str | None = None
    """Why this case is shown, such as "largest change"."""


def outline_overlay(image: np.ndarray, channels: np.ndarray) -> np.ndarray:
    """Draw the outline of each structure, smooth and about 1/130 of the image wide; all other pixels stay as they are.

    Args:
        image: (H, W, 3) uint8.
        channels: (K, H, W) bool; an empty channel, or one that fills the image, has no outline.

    Raises:
        ValueError: if the shapes or types differ from these.
    """
    _check(image, channels)
    half = max(0.9, min(image.shape[:2]) / 260)
    picture = image.astype(np.float32)
    for number, mask in enumerate(channels):
        if mask.any() and not mask.all():
            near = bounding_box(mask, margin=round(1.8 * half) + BLUR_REACH + 2)  # beyond it the line does not reach
            distance = np.abs(_signed_distance(mask[near]))
            shaded = _blend(picture[near], "#000000", HALO * np.clip(1.8 * half + 0.5 - distance, 0, 1))
            picture[near] = _blend(shaded, PALETTE[number % len(PALETTE)], np.clip(half + 0.5 - distance, 0, 1))
    return np.rint(picture).astype(np.uint8)


def before_after(
    image: np.ndarray,
    before: np.ndarray,
    after: np.ndarray,
    truth: np.ndarray | None = None,
    *,
    tile: int = 256,
) -> np.ndarray:
    """Picture strip: the image, then the outlines before, after and, where there is one, of the reference.

    Args:
        image: (H, W, 3) uint8.
        before, after, truth: (K, H, W) bool.
        tile: width of one picture in pixels; the height follows the image.
    """
    columns = {"Before (source)": before, "After (adapted)": after}
    return outline_strip(image, columns if truth is None else columns | {"Reference": truth}, tile=tile)


def outline_strip(image: np.ndarray, outlines: Mapping[str, np.ndarray], *, tile: int = 256) -> np.ndarray:
    """Picture strip: the image as it is, then once per entry of ``outlines`` with these structures outlined.

    Args:
        image: (H, W, 3) uint8.
        outlines: caption -> (K, H, W) bool, in the order of the pictures.
        tile: width of one picture in pixels; the height follows the image.
    """
    for channels in outlines.values():
        _check(image, channels)
    size = (tile, max(1, round(tile * image.shape[0] / image.shape[1])))
    small = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.LANCZOS))
    titled = [_caption(small, "Image")]
    for text, channels in outlines.items():
        titled.append(_caption(outline_overlay(small, _shrink(channels, size)), text))
    return contact_sheet(titled, len(titled))


def contact_sheet(tiles: Sequence[np.ndarray], columns: int, *, gap: int = 8) -> np.ndarray:
    """Put pictures in rows on white, each at the top left of a cell as large as the largest.

    Args:
        tiles: (H, W, 3) uint8 each; sizes may differ.
        columns: pictures in a row.
        gap: white pixels between two cells.
    """
    if not tiles:
        raise ValueError("Expected at least one picture for a contact sheet, found none; pass the pictures to show.")
    height, width = (max(tile.shape[axis] for tile in tiles) + gap for axis in (0, 1))
    columns = min(columns, len(tiles))
    rows = -(-len(tiles) // columns)
    sheet = np.full((rows * height - gap, columns * width - gap, 3), 255, np.uint8)
    for number, tile in enumerate(tiles):
        top, left = number // columns * height, number % columns * width
        sheet[top : top + tile.shape[0], left : left + tile.shape[1]] = tile
    return sheet


def to_data_uri(array: np.ndarray, format: str = "jpeg") -> str:
    """The picture (H, W, 3) uint8 as text that a page can hold: ``data:image/jpeg;base64,...``; format jpeg or png."""
    stream = io.BytesIO()
    options = {"quality": 85, "subsampling": 0} if format == "jpeg" else {"optimize": True}
    Image.fromarray(array).save(stream, format=format, **options)  # 4:4:4: thin coloured lines smear otherwise
    return f"data:image/{format};base64,{base64.b64encode(stream.getvalue()).decode('ascii')}"


def _check(image: np.ndarray, channels: np.ndarray) -> None:
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        found = f"{image.shape} {image.dtype}"
        raise ValueError(f"Expected an image (H, W, 3) uint8, found {found}; convert it to 8-bit RGB.")
    if channels.ndim != 3 or channels.shape[1:] != image.shape[:2] or channels.dtype != np.bool_:
        expected = f"(K, {image.shape[0]}, {image.shape[1]}) bool"
        found = f"{channels.shape} {channels.dtype}"
        raise ValueError(f"Expected structures {expected}, found {found}; bring them to the size of their image.")


def _signed_distance(mask: np.ndarray) -> np.ndarray:
    """Pixels from the outline (H, W), negative inside; smoothed, which rounds the stairs of the pixel grid."""
    outside, inside = ndimage.distance_transform_edt(~mask), ndimage.distance_transform_edt(mask)
    distance = (outside - inside + np.where(mask, 0.5, -0.5)).astype(np.float32)
    return ndimage.gaussian_filter(distance, 0.8, radius=BLUR_REACH)


def _blend(picture: np.ndarray, colour: str, opacity: np.ndarray) -> np.ndarray:
    rgb = np.array([int(colour[start : start + 2], 16) for start in (1, 3, 5)], np.float32)
    return picture + opacity[..., None] * (rgb - picture)


def _shrink(channels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    maps = [Image.fromarray(mask.astype(np.float32)).resize(size, Image.Resampling.BILINEAR) for mask in channels]
    return np.stack([np.asarray(shares) >= 0.5 for shares in maps])


def _caption(tile: np.ndarray, text: str) -> np.ndarray:
    size = max(10, tile.shape[1] / 17)
    font = ImageFont.load_default(size)
    strip = Image.new("RGB", (tile.shape[1], round(2 * size)), "white")
    ImageDraw.Draw(strip).text((0, strip.height / 2), text, fill="#343a40", font=font, anchor="lm")
    return np.concatenate([np.asarray(strip), tile])
