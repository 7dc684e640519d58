"""Grey DICOM pixels as viewers show them: the modality's table or line, then a table or window of values of interest.

DICOM PS3.3 C.11.1 (Modality LUT) and C.11.2 (VOI LUT).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from monai_sfda.reading.dicom_bits import said_depth
from monai_sfda.reading.stored import Refused, Stored

__all__ = ["entry_bits", "padding_pixels", "shown_greys", "table_entries", "table_index"]


def shown_greys(pixels: np.ndarray, data: Any) -> Stored:
    """Levels (H, W) of a MONOCHROME image.

    Without a table or a window, levels are as deep as the header says, and turned round where the slope is negative.
    Padding is as dark as the darkest pixel of the image.
    """
    stored = _shown(pixels, data)
    padding = padding_pixels(pixels, data)
    if padding.any() and not padding.all():
        rest = stored.levels[~padding]
        stored.levels = np.where(padding, rest.max() if stored.inverted else rest.min(), stored.levels)
    return stored


def _shown(pixels: np.ndarray, data: Any) -> Stored:
    inverted = data.PhotometricInterpretation == "MONOCHROME1"  # PresentationLUTShape is often wrong
    slope, intercept = _rescale(data)
    signed = data.PixelRepresentation == 1
    values, bits = pixels, said_depth(data)
    if data.get("ModalityLUTSequence"):
        values, bits = _apply_table(pixels, data.ModalityLUTSequence[0], data, signed)
        slope, intercept, signed = 1.0, 0.0, False
    if data.get("VOILUTSequence"):
        signed = min(slope * end + intercept for end in _ends(data, signed)) < 0
        values, bits = _apply_table(np.rint(values * slope + intercept), data.VOILUTSequence[0], data, signed)
        return Stored(values, bits=bits, inverted=inverted)
    window = _window(data)
    if window is not None:
        from pydicom.pixels import apply_windowing

        shown = apply_windowing(values * slope + intercept, window)
        return Stored(np.rint(shown).astype(np.uint8), inverted=inverted)
    return Stored(values, bits=bits, inverted=inverted != (slope < 0))


def _ends(data: Any, signed: bool) -> tuple[int, int]:
    """The smallest and the largest number that may be stored."""
    values = 2**data.BitsStored
    return (-values // 2, values // 2 - 1) if signed else (0, values - 1)


def padding_pixels(pixels: np.ndarray, data: Any) -> np.ndarray:
    """(H, W): which pixels were added around the image (PS3.3 C.7.5.1.1.2)."""
    ends = [data.get(name) for name in ("PixelPaddingValue", "PixelPaddingRangeLimit")]
    if not isinstance(ends[0], int):
        return np.zeros(pixels.shape, bool)
    first, last = sorted((ends[0], ends[1] if isinstance(ends[1], int) else ends[0]))
    values = 2 ** (8 * pixels.itemsize)  # of which the same may be written with a sign or without
    return (pixels.astype(np.int64) - first) % values <= last - first


def _apply_table(values: np.ndarray, item: Any, data: Any, signed: bool) -> tuple[np.ndarray, int]:
    """Look up whole numbers in a table; those below its first and beyond its last entry take that entry.

    Args:
        signed: whether such numbers may be below 0, in this or in another image of the kind.

    Returns:
        The entries, and how many bits they have.
    """
    count, first, bits = (int(n) for n in item.LUTDescriptor)
    entries = table_entries(item["LUTData"].value, count, data)
    return entries[table_index(values, first, len(entries), signed)], entry_bits(entries, bits)


def table_index(values: np.ndarray, first: int, count: int, signed: bool) -> np.ndarray:
    """Where in a table of ``count`` entries, whose first is for the value ``first``, values are looked up.

    Args:
        signed: whether values may be below 0; these need not be.
    """
    if signed and first > 32767:  # written without its sign
        first -= 65536
    return np.clip(values.astype(np.int64) - first, 0, count - 1)


def table_entries(stored: Any, count: int, data: Any) -> np.ndarray:
    """Entries of a table, of 8 or 16 bits each; a count of 0 means 65536."""
    if not isinstance(stored, bytes):
        return np.atleast_1d(np.asarray(stored)).astype(np.uint16)
    count = count or 65536
    little = data.file_meta.TransferSyntaxUID.is_little_endian
    kind = "u1" if len(stored) < 2 * count else "<u2" if little else ">u2"
    return np.frombuffer(stored, kind, min(count, len(stored) // np.dtype(kind).itemsize)).astype(np.uint16)


def entry_bits(entries: np.ndarray, said: int) -> int:
    """How deep the entries of a table are: many programs write 8-bit entries and say 16."""
    return 8 if entries.max() <= 255 else max(said, int(entries.max()).bit_length())


def _rescale(data: Any) -> tuple[float, float]:
    slope, intercept = (_number(data, name) for name in ("RescaleSlope", "RescaleIntercept"))
    return slope or 1.0, intercept or 0.0


def _window(data: Any) -> Any:
    """The first window, as a dataset by which pydicom brings values to 0..255; None without a usable one."""
    from pydicom import Dataset

    centre, width = (_number(data, name) for name in ("WindowCenter", "WindowWidth"))
    if centre is None or width is None or width <= 0:
        return None
    function = str(data.get("VOILUTFunction") or "LINEAR").upper()
    if function not in ("LINEAR_EXACT", "SIGMOID"):
        function = "LINEAR" if width >= 1 else "LINEAR_EXACT"  # which is what is meant: LINEAR has no such widths
    window = Dataset()
    window.PhotometricInterpretation, window.BitsStored, window.PixelRepresentation = "MONOCHROME2", 8, 0
    window.WindowCenter, window.WindowWidth, window.VOILUTFunction = f"{centre:.10g}", f"{width:.10g}", function
    return window


def _number(data: Any, name: str) -> float | None:
    """The first of one or several numbers, if it is one."""
    try:
        value = data.get(name)
        if isinstance(value, Sequence) and not isinstance(value, str):
            value = value[0] if value else None
        if value is None or value == "":
            return None
        first = float(value)
    except ValueError:
        raise Refused(f"Expected a number as {name}, found other text; export the file again.") from None
    return first if math.isfinite(first) else None
