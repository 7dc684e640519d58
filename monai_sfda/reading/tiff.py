"""TIFF and BigTIFF: pages and levels by tifffile."""

from __future__ import annotations

import logging
import math
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from monai_sfda.reading.disk import is_of_the_disk
from monai_sfda.reading.orientation import known_orientation
from monai_sfda.reading.stored import Refused, Stored, refuse_huge
from monai_sfda.reading.tiff_jpeg import refuse_other_jpeg
from monai_sfda.reading.tiff_packed import is_packed, packed_levels
from monai_sfda.reading.tiff_pages import the_page
from monai_sfda.reading.tiff_pillow import levels_by_pillow

__all__ = ["read_tiff", "tiff_orientation"]

WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, CMYK, YCBCR = 0, 1, 2, 3, 5, 6  # photometric interpretations
COLOURS = {WHITE_IS_ZERO: 1, BLACK_IS_ZERO: 1, RGB: 3, PALETTE: 1, CMYK: 4, YCBCR: 3}
PHOTOMETRIC, ORIENTATION, MAX_SAMPLE_VALUE, INK_SET = 262, 274, 281, 332  # tags
OTHER_INKS = 2
PREMULTIPLIED, ALPHA = 1, 2  # extra samples
PLAIN = (1, 8, 32773, 32946)  # compressions that tifffile decodes by itself: none, deflate, packbits
WHOLE_BYTES = (1, 8, 16, 32, 64)  # bits of a sample that it unpacks by itself
FLOAT_PREDICTOR = 3
LOSSY = (6, 7, 33003, 33004, 33005, 34712, 34892, 34933, 34934, 50001, 50002)  # JPEG and its successors, WebP

logging.getLogger("tifffile").setLevel(logging.CRITICAL)  # it quotes what it finds


def read_tiff(path: str | Path) -> Stored:
    """Read the one picture of a TIFF, beside which there may be small copies of it.

    Raises:
        ValueError: if there are several pictures, or one with levels or colours that are not read.
        OSError: if the file cannot be opened.
    """
    name = Path(path).name
    try:
        with tifffile.TiffFile(path, _multifile=False) as tif:
            page = the_page(tif, name)
            refuse_huge((page.imagelength, page.imagewidth), path)
            _refuse_colours(page, name)
            _refuse_cut(page, tif.filehandle.size, name)
            refuse_other_jpeg(page, name)
            stored = _levels(page) if _plain(page) or is_packed(page) else levels_by_pillow(page, path)
            if page.photometric == PALETTE:
                stored.colours, stored.palette = "palette", _palette(page)
            stored.lossy = page.compression in LOSSY
            stored.orientation = known_orientation(page.tags.valueof(ORIENTATION, 1))
            stored.frame = page.index
            return stored
    except Refused:
        raise
    except Exception as error:  # as varied as damage
        if is_of_the_disk(error):
            raise
        raise Refused(
            f"Expected a grey, RGB or CMYK picture in {name}, found a tiff that is damaged or has other channels or "
            "numbers; export it as RGB."
        ) from error


def tiff_orientation(path: str | Path) -> int:
    """How the picture is to be turned, 1 (upright) to 8; 1 where the file cannot be read."""
    try:
        with tifffile.TiffFile(path, _multifile=False) as tif:
            return known_orientation(the_page(tif, Path(path).name).tags.valueof(ORIENTATION, 1))
    except (ValueError, IndexError, KeyError):
        return 1


def _refuse_colours(page: Any, name: str) -> None:
    if PHOTOMETRIC not in page.tags:
        raise Refused(
            f"Expected the tag PhotometricInterpretation in {name}, found a tiff that does not say which level is "
            "white; export it again."
        )
    kind = getattr(page.photometric, "name", page.photometric)
    if page.photometric not in COLOURS:
        raise Refused(f"Expected a grey, RGB or CMYK picture in {name}, found colours of the kind {kind}; save as RGB.")
    if page.photometric == CMYK and page.tags.valueof(INK_SET) == OTHER_INKS:
        raise Refused(f"Expected the inks of CMYK in {name}, found others; save as RGB.")
    extra = page.samplesperpixel - COLOURS[page.photometric]
    alone = COLOURS[page.photometric] == 1
    if extra < 0 or (alone and extra and (extra > 1 or page.extrasamples[:1] not in ((PREMULTIPLIED,), (ALPHA,)))):
        raise Refused(
            f"Expected one grey channel or three colours in {name}, found {page.samplesperpixel} channels of the kind "
            f"{kind}; save one of them, or RGB."
        )


def _refuse_cut(page: Any, size: int, name: str) -> None:
    """tifffile fills what is missing with black."""
    ends = [start + count for start, count in zip(page.dataoffsets, page.databytecounts, strict=False)]
    parts = math.prod(page.chunked)
    if len(ends) < parts or min(page.databytecounts) == 0 or max(ends) > size:
        raise Refused(f"Expected a whole picture in {name}, found a tiff cut short; export or copy it again.")


def _plain(page: Any) -> bool:
    return (
        page.compression in PLAIN
        and page.predictor != FLOAT_PREDICTOR
        and page.bitspersample in WHOLE_BYTES
        and page.photometric not in (CMYK, YCBCR)
    )


def _levels(page: Any) -> Stored:
    if is_packed(page):
        pixels = packed_levels(page)
    else:  # separate channel, depth, row, column, channel
        planes = page.asarray(squeeze=False, maxworkers=1)[:, 0]
        pixels = np.moveaxis(planes, 0, -1).reshape(*planes.shape[1:3], -1)
    colours = COLOURS[page.photometric]
    alpha = pixels[..., colours] if pixels.shape[-1] > colours else None
    levels = pixels[..., :3] if colours == 3 else pixels[..., 0]
    if alpha is not None and page.extrasamples[:1] == (PREMULTIPLIED,) and levels.dtype.kind in "uf":
        levels = _unmultiplied(levels, alpha)
    stored = Stored(levels, "RGB" if colours == 3 else "grey", bits=_bits(page), alpha=alpha)
    stored.inverted = page.photometric == WHITE_IS_ZERO
    return stored


def _palette(page: Any) -> np.ndarray:
    """(N, 3) uint8: many programs write 8-bit entries, of a table that has 16 bits to each."""
    table = page.colormap.T
    return (table if table.max() <= 255 else np.rint(table / 257)).astype(np.uint8)


def _bits(page: Any) -> int | None:
    """The depth that the file says: 16-bit files often hold fewer, and rarely the tag for it."""
    largest = page.tags.valueof(MAX_SAMPLE_VALUE)
    if is_packed(page):
        return page.bitspersample
    if page.bitspersample != 16 or not largest:
        return None
    return int(np.max(largest)).bit_length()


def _unmultiplied(levels: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Colours that were multiplied by their alpha, as they were."""
    alpha = alpha if levels.ndim == 2 else alpha[..., None]
    if levels.dtype.kind == "f":
        return np.divide(levels, alpha, out=levels.copy(), where=alpha > 0)
    full = np.iinfo(levels.dtype).max
    return np.minimum(np.rint(levels * (full / np.maximum(alpha, 1.0))), full).astype(levels.dtype)
