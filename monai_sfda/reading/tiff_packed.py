"""Levels of 2 to 15 bits that a TIFF stores bit by bit, without compression."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["is_packed", "packed_levels"]

UNCOMPRESSED, TOGETHER, HIGH_BIT_FIRST = 1, 1, 1


def is_packed(page: Any) -> bool:
    """Whether `packed_levels` reads the page."""
    return (
        1 < page.bitspersample < 16
        and page.bitspersample != 8
        and not page.is_tiled
        and (page.compression, page.planarconfig, page.fillorder) == (UNCOMPRESSED, TOGETHER, HIGH_BIT_FIRST)
    )


def packed_levels(page: Any) -> np.ndarray:
    """(H, W, channels) uint16; each row begins with a byte of its own."""
    file, width, samples, bits = page.parent.filehandle, page.imagewidth, page.samplesperpixel, page.bitspersample
    content = b"".join(data for data, _ in file.read_segments(page.dataoffsets, page.databytecounts))
    row = (width * samples * bits + 7) // 8
    rows = np.frombuffer(content, np.uint8, page.imagelength * row).reshape(page.imagelength, row)
    levels = np.zeros((page.imagelength, width * samples), np.uint16)
    for bit in range(bits):
        place = np.arange(width * samples) * bits + bit
        levels = levels << 1 | (rows[:, place >> 3] >> (7 - (place & 7)).astype(np.uint8) & 1)
    return levels.reshape(page.imagelength, width, samples)
