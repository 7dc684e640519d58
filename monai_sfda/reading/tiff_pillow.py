"""The pages of a TIFF that tifffile does not decode without further packages: JPEG, LZW, CCITT, CMYK."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from monai_sfda.reading.orientation import as_stored
from monai_sfda.reading.picture import pillow_levels
from monai_sfda.reading.stored import Refused, Stored

__all__ = ["levels_by_pillow"]

GREY, RGB, CMYK, YCBCR = (0, 1), 2, 5, 6
UNSIGNED, FLOAT = 1, 3  # sample formats
UNCOMPRESSED, PLANAR = 1, 2
ORIENTATION, COEFFICIENTS, SUBSAMPLING, BLACK_AND_WHITE = 274, 529, 530, 532  # tags
USUAL = {COEFFICIENTS: (0.299, 0.587, 0.114), BLACK_AND_WHITE: (0, 255, 128, 255, 128, 255)}
"""What Pillow takes them for, whatever they are."""


def levels_by_pillow(page: Any, path: str | Path) -> Stored:
    """Decode an opened `tifffile.TiffPage`.

    Raises:
        ValueError: if Pillow cannot, or would decode it to something else.
    """
    name = Path(path).name
    if not _right(page):
        raise _refused(page, name)
    if page.photometric == YCBCR and page.compression == UNCOMPRESSED and not all(_usual(page, tag) for tag in USUAL):
        raise Refused(
            f"Expected YCbCr with the usual YCbCrCoefficients and ReferenceBlackWhite in {name}, found others; save it "
            "as RGB."
        )
    # A file object, because Pillow maps a named file into memory and then reads rotated raw tiff in rows of a wrong
    # length.
    with open(path, "rb") as file, Image.open(file, formats=("TIFF",)) as image:
        image.seek(page.index)
        image.load()
        stored = pillow_levels(image)
    _undo_turn(stored, page.tags.valueof(ORIENTATION, 1))
    _undo_spread(stored, page)
    if page.bitspersample == 16 and page.photometric == RGB:  # of which Pillow keeps the upper 8
        if stored.levels.max() < 16:
            raise _refused(page, name)
        stored.bits = 8
    return stored


def _right(page: Any) -> bool:
    """Whether Pillow decodes the page to what it means."""
    bits, kind = page.bitspersample, page.photometric
    if page.is_subifd or page.sampleformat not in (UNSIGNED, FLOAT):
        return False
    if page.sampleformat == FLOAT:
        return bits == 32 and kind == 1 and page.samplesperpixel == 1
    if kind == YCBCR and page.compression == UNCOMPRESSED:
        return bits == 8 and page.tags.valueof(SUBSAMPLING) == (1, 1)
    if bits == 16:
        return page.planarconfig != PLANAR and (kind in GREY or kind in (RGB, CMYK))
    return bits == 8 or (bits in (1, 2, 4) and page.samplesperpixel == 1)


def _usual(page: Any, tag: int) -> bool:
    """Whether fractions, stored as pairs of numbers, are the usual ones."""
    stored = page.tags.valueof(tag)
    if stored is None:
        return True
    numbers = np.reshape(stored, (-1, 2))
    return np.allclose(numbers[:, 0] / numbers[:, 1], USUAL[tag])


def _undo_turn(stored: Stored, orientation: int) -> None:
    """Pillow turns a tiff upright as it decodes it."""
    stored.levels = as_stored(stored.levels, orientation)
    stored.alpha = None if stored.alpha is None else as_stored(stored.alpha, orientation)


def _undo_spread(stored: Stored, page: Any) -> None:
    """Pillow spreads levels of 2 and 4 bits over 0..255, and lets white be the largest of up to 8 bits."""
    bits = page.bitspersample
    if bits in (2, 4) and page.photometric in GREY:
        stored.levels, stored.bits = stored.levels // (255 // (2**bits - 1)), bits
    stored.inverted = page.photometric == 0
    if stored.inverted and bits <= 8:
        stored.levels = ~stored.levels if bits in (1, 8) else 2**bits - 1 - stored.levels


def _refused(page: Any, name: str) -> Refused:
    kind, how = (getattr(value, "name", value) for value in (page.photometric, page.compression))
    return Refused(
        f"Expected a tiff of 8 bits, or one without compression, in {name}, found {page.bitspersample} bits of the "
        f"kind {kind} and the compression {how}; save it as png, or as tiff without compression."
    )
