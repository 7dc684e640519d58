"""DICOM pixels that are indices of a table of colours (PS3.3 C.7.6.3.1.5)."""

from __future__ import annotations

from typing import Any

import numpy as np

from monai_sfda.reading.dicom_greys import entry_bits, table_entries, table_index
from monai_sfda.reading.levels import Scale, to_uint8

__all__ = ["palette_colours"]


def palette_colours(pixels: np.ndarray, data: Any) -> np.ndarray:
    """Indices (H, W) -> colours (H, W, 3) uint8."""
    if "RedPaletteColorLookupTableData" not in data:
        from pydicom.pixels import apply_color_lut

        colours = apply_color_lut(pixels, data)[..., :3]  # also of tables in segments
        bits = 8 * colours.itemsize
    else:
        signed = data.PixelRepresentation == 1
        tables = [_table(colour, data) for colour in ("Red", "Green", "Blue")]
        looked_up = [entries[table_index(pixels, first, len(entries), signed)] for entries, first, _ in tables]
        colours = np.stack(looked_up, axis=-1)
        bits = entry_bits(np.concatenate([entries for entries, *_ in tables]), max(bits for *_, bits in tables))
    return to_uint8(colours, Scale(0, 2**bits - 1, "file"))


def _table(colour: str, data: Any) -> tuple[np.ndarray, int, int]:
    count, first, bits = (int(n) for n in data[f"{colour}PaletteColorLookupTableDescriptor"].value)
    return table_entries(data[f"{colour}PaletteColorLookupTableData"].value, count, data), first, bits
