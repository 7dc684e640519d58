"""What Pillow leaves out of PNG: all 16 bits of colours, and how many of them mean something."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from monai_sfda.reading.stored import Stored

__all__ = ["deep_colours", "png_depth", "significant_bits"]

GREY_ALPHA, RGB, RGBA = 4, 2, 6  # kinds of colour, as PNG numbers them
HEAD = 33  # bytes of the signature and of the first chunk


def png_depth(path: str | Path) -> tuple[int, int]:
    """Bits of a sample, and the kind of colour as PNG numbers it."""
    with open(path, "rb") as file:
        head = file.read(HEAD)
    return head[24], head[25]


def significant_bits(path: str | Path, levels: np.ndarray) -> int | None:
    """How deep 16-bit levels are, as the chunk sBIT says; None without it.

    PNG wants levels spread over all 16 bits, whatever sBIT says; many programs store them as they are. These are told
    by low bits in use and high ones not.
    """
    for kind, content in _chunks(path):
        if kind == b"sBIT" and content:
            bits = max(content[: levels.shape[2] if levels.ndim == 3 else 1])
            as_they_are = bits < 16 and levels.max() < 2**bits and (levels & (2 ** (16 - bits) - 1)).any()
            return bits if as_they_are else 16
    return None


def deep_colours(image: Any, path: str | Path) -> Stored:
    """RGB, RGBA or grey with alpha of 16 bits, of which Pillow decodes the upper 8: it is asked for the lower, too."""
    kind = png_depth(path)[1]
    if kind == GREY_ALPHA:
        grey_high, grey_low, high, low = np.moveaxis(np.asarray(_as_rgba(path)), -1, 0).astype(np.uint16)
        return Stored(grey_high << 8 | grey_low, alpha=high << 8 | low)
    upper = np.asarray(image).astype(np.uint16)
    with Image.open(path, formats=("PNG",)) as again:
        again.tile = [tile._replace(args=str(tile.args).replace(";16B", ";16L")) for tile in again.tile]
        lower = np.asarray(again)
    levels = upper << 8 | lower
    return Stored(levels[..., :3], "RGB", alpha=levels[..., 3] if kind == RGBA else None)


def _as_rgba(path: str | Path) -> Image.Image:
    """Grey with alpha of 16 bits has the 4 bytes to a pixel of RGBA of 8 bits."""
    content = bytearray(Path(path).read_bytes())
    content[24:26] = 8, RGBA
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    return Image.open(io.BytesIO(content), formats=("PNG",))


def _chunks(path: str | Path) -> Iterator[tuple[bytes, bytes]]:
    """Chunks before the pixels, which come before the long ones."""
    with open(path, "rb") as file:
        file.seek(8)
        while len(head := file.read(8)) == 8 and head[4:] != b"IDAT":
            size = int.from_bytes(head[:4], "big")
            yield head[4:], file.read(size)
            file.seek(4, io.SEEK_CUR)
