"""What a mask says of itself, whatever its kind: its row of results.csv, and the image that it was made of.

PNG keeps both in text chunks, NIfTI as JSON in a comment of its header. Other software drops them when a person saves a
corrected mask; where it keeps the comment of a NIfTI file, the checksum of the voxels tells that they are others.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.nifti1 import Nifti1Extension
from PIL import Image
from PIL.PngImagePlugin import PngInfo

__all__ = ["SUFFIXES", "image_of", "is_volume", "nifti_comment", "png_text", "row_of"]

SUFFIXES = (".png", ".nii.gz")
"""Of the masks of pictures and of volumes."""

ROW, IMAGE = "monai_sfda", "monai_sfda_image"
DAMAGED = (OSError, SyntaxError, ValueError, EOFError, zlib.error, ImageFileError)


def is_volume(mask: str | os.PathLike[str]) -> bool:
    """Whether a mask of that name is one of a volume."""
    return os.fspath(mask).endswith(SUFFIXES[1])


def png_text(row: Mapping[str, Any] | None, image: str | None) -> PngInfo:
    """Text chunks for `PIL.Image.Image.save`."""
    text = PngInfo()
    if image is not None:
        text.add_text(IMAGE, image)
    if row is not None:
        text.add_text(ROW, json.dumps(row))
    return text


def nifti_comment(row: Mapping[str, Any] | None, image: str | None, ids: np.ndarray) -> Nifti1Extension:
    """An extension for the header of a label map."""
    said = {ROW: row, IMAGE: image, "voxels": _checksum(ids)}
    return Nifti1Extension("comment", json.dumps(said).encode())


def row_of(mask: Path) -> dict[str, Any] | None:
    """The row that belongs to a mask as it is now; None if it has none.

    Raises:
        ValueError: if the file is damaged.
    """
    try:
        if not is_volume(mask):
            chunk = _chunks(mask).get(ROW)
            return json.loads(chunk) if chunk else None
        file: Any = nibabel.load(mask)
        said = _comment(file)
        ids = np.asarray(file.dataobj)  # a damaged file has to show here
        return said.get(ROW) if said.get("voxels") == _checksum(ids) else None
    except DAMAGED as error:
        raise ValueError("Expected a mask, found a damaged file; delete it, and it will be made again.") from error


def image_of(mask: str | os.PathLike[str]) -> str | None:
    """`monai_sfda.files.brief_hash` of the image that a mask was made of; None if it does not say, or is damaged.

    Raises:
        FileNotFoundError, NotADirectoryError: if there is no such mask.
    """
    try:
        return _comment(nibabel.load(mask)).get(IMAGE) if is_volume(mask) else _chunks(mask).get(IMAGE)
    except (FileNotFoundError, NotADirectoryError):
        raise
    except DAMAGED:
        return None


def _chunks(mask: str | os.PathLike[str]) -> dict[str, Any]:
    with Image.open(mask, formats=("PNG",)) as picture:
        # Not picture.text, which decodes the pixels to look for chunks behind them; ours stands before them.
        return {str(name): value for name, value in picture.info.items()}


def _comment(file: Any) -> dict[str, Any]:
    for extension in file.header.extensions:
        text = extension.get_content() if extension.get_code() == 6 else b""
        text = text if isinstance(text, bytes) else str(text).encode()
        if ROW.encode() in text:
            return json.loads(text.rstrip(b"\0 "))
    return {}


def _checksum(ids: np.ndarray) -> int:
    return zlib.crc32(ids.tobytes("F"))
