"""JPEG inside TIFF: what libtiff decodes without a word, though a part is missing or the colours are others."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image

from monai_sfda.reading.jpeg import said_colours
from monai_sfda.reading.stored import Refused

__all__ = ["refuse_other_jpeg"]

JPEG = 7  # the compression
COLOURS = {2: "RGB", 6: "YBR"}  # of photometric interpretations
END, TAIL = b"\xff\xd9", 1024  # some programs fill up behind it
SAYING = {"jfif", "adobe_transform"}  # the numbers of the components do not: Technical Note 2 of TIFF


def refuse_other_jpeg(page: Any, name: str) -> None:
    """Refuse a page with a stream that has no end, or that names other colours than the page does."""
    if page.compression != JPEG:
        return
    file = page.parent.filehandle
    for start, count in zip(page.dataoffsets, page.databytecounts, strict=True):
        file.seek(start + max(count - TAIL, 0))
        if END not in file.read(min(count, TAIL)):
            raise Refused(f"Expected a whole picture in {name}, found a jpeg cut short in it; export or copy it again.")
    file.seek(page.dataoffsets[0])
    with Image.open(io.BytesIO(file.read(page.databytecounts[0])), formats=("JPEG",)) as image:
        found = said_colours(image) if SAYING & image.info.keys() else None
    said = COLOURS.get(page.photometric)
    if said and found and said != found:
        raise Refused(
            f"Expected colours of the kind {said} in {name}, as its PhotometricInterpretation says, found a jpeg of "
            f"the kind {found}; save it as png, or as tiff without compression."
        )
