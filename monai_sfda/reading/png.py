"""What Pillow leaves out of PNG: 16 bits of colours, how many of them mean something, and whether rows are missing."""

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

__all__ = ["deep_colours", "holds_all_rows", "png_depth", "significant_bits"]

GREY_ALPHA, RGB, RGBA = 4, 2, 6  # kinds of colour, as PNG numbers them
SAMPLES = {GREY_ALPHA: 2, RGB: 3, RGBA: 4}  # of a pixel; one of the other kinds
HEAD = 33  # bytes of the signature and of the first chunk
WHOLE = ((0, 0, 1, 1),)
INTERLACED = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""First column and row of each pass, and the steps to the next."""


def png_depth(path: str | Path) -> tuple[int, int]:
    """Bits of a sample, and the kind of colour as PNG numbers it."""
    with open(path, "rb") as file:
        head = file.read(HEAD)
    return head[24], head[25]


def holds_all_rows(path: str | Path) -> bool:
    """Whether there are as many pixels as the head promises, compressed as they are."""
    with open(path, "rb") as file:
        width, height, bits, kind, _, _, interlaced = struct.unpack(">IIBBBBB", file.read(HEAD)[16:29])
    promised = 0
    for left, top, across, down in INTERLACED if interlaced else WHOLE:
        columns, rows = -((left - width) // across), -((top - height) // down)
        if columns > 0 and rows > 0:
            promised += rows * (1 + (columns * SAMPLES.get(kind, 1) * bits + 7) // 8)
    content = b"".join(content for name, content in _chunks(path, end=b"IEND") if name == b"IDAT")
    return len(zlib.decompressobj().decompress(content, promised)) == promised


def significant_bits(path: str | Path, levels: np.ndarray) -> int | None:
    """How deep 16-bit levels are, as the chunk sBIT says; None without it.

    PNG wants levels spread over all 16 bits, whatever sBIT says; many programs store them as they are. These are told
    by low bits in use and high ones not.
    """
    for kind, content in _chunks(path, end=b"IDAT"):
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


def _chunks(path: str | Path, end: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Names and contents of the chunks before the first of the name ``end``."""
    with open(path, "rb") as file:
        file.seek(8)
        while len(head := file.read(8)) == 8 and head[4:] != end:
            size = int.from_bytes(head[:4], "big")
            yield head[4:], file.read(size)
            file.seek(4, io.SEEK_CUR)
