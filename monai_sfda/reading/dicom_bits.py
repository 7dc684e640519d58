"""Which bits of a stored DICOM value are the level."""

from __future__ import annotations

from typing import Any

import numpy as np

from monai_sfda.reading.stored import Refused

__all__ = ["said_depth", "used_bits"]

OVERLAYS = range(0x6000, 0x6020, 2)  # groups
BIT_POSITION = 0x0102


def said_depth(data: Any) -> int | None:
    """Bits Stored, where it says more than how much room there is: 16 and 32 are also written for 12 bits."""
    return data.BitsStored if data.PixelRepresentation == 0 and data.BitsStored < 16 else None


def used_bits(pixels: np.ndarray, data: Any, name: str) -> np.ndarray:
    """Levels from values as they are stored: moved to the lowest bit, with their sign, without an overlay.

    JPEG and its kin hold levels, which stay as they are; run lengths (RLE) hold values as they are stored.

    Raises:
        ValueError: if they are deeper than Bits Stored says.
    """
    if pixels.dtype.kind not in "ui" or _holds_levels(data):
        return pixels
    bits = data.BitsStored
    high = data.get("HighBit")
    lowest = 0 if high in (None, "") else max(int(high) + 1 - bits, 0)
    pixels = pixels >> lowest if lowest else pixels
    spare = 8 * pixels.itemsize - bits
    if spare <= 0:
        return pixels
    overlay = any(data.get((group, BIT_POSITION)) and data[group, BIT_POSITION].value for group in OVERLAYS)
    if data.PixelRepresentation == 1:
        unsigned = pixels.min() >= 0 and pixels.max() < 2**bits  # the sign is at the highest bit that is used
        return (pixels << spare) >> spare if unsigned or overlay else pixels
    if overlay:
        return pixels & (2**bits - 1)
    if pixels.max() >= 2**bits:
        raise Refused(
            f"Expected levels of {bits} bits in {name}, as Bits Stored says, found the level {pixels.max()}; export it "
            "again."
        )
    return pixels


def _holds_levels(data: Any) -> bool:
    from pydicom.uid import RLELossless

    syntax = data.file_meta.TransferSyntaxUID
    return syntax.is_encapsulated and syntax != RLELossless
