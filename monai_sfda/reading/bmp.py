"""What Pillow mistakes in BMP: it takes the number of colours of a table of greys for the number of bits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from monai_sfda.reading.stored import Stored

__all__ = ["few_greys"]

HEAD = 30  # bytes of the file's header, and of the picture's up to its bits
OLD, OLD_BITS, BITS = 12, 24, 28  # size of the first kind of picture header; where it, and the others, have the bits
INDICES = {1: "P;1", 4: "P;4", 8: "P"}  # of each number of bits, as Pillow calls them
TAKEN_FOR = {"1": 1, "L": 8}  # bits


def few_greys(image: Any, path: str | Path) -> Stored | None:
    """Indices of a table of greys in an opened picture; None where Pillow reads as many bits as there are."""
    bits = _bits(path)
    raw = image.tile[0]
    if raw.codec_name != "raw" or bits not in INDICES or TAKEN_FOR.get(image.mode, bits) == bits:
        return None
    _, row, direction = raw.args
    content = Path(path).read_bytes()[raw.offset :]
    indices = Image.frombytes("P", image.size, content, "raw", INDICES[bits], row, direction)
    greys = np.array([0, 255]) if image.mode == "1" else np.arange(2**bits)
    return Stored(np.asarray(indices), "palette", palette=np.stack([greys.astype(np.uint8)] * 3, -1))


def _bits(path: str | Path) -> int:
    with open(path, "rb") as file:
        head = file.read(HEAD)
    return head[OLD_BITS if head[14] == OLD else BITS]
