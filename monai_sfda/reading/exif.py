"""How the picture in a file is to be turned, without decoding it."""

from __future__ import annotations

from pathlib import Path

from PIL import ExifTags, Image, UnidentifiedImageError

from monai_sfda.reading.kind import sniff
from monai_sfda.reading.orientation import known_orientation
from monai_sfda.reading.picture import FORMATS
from monai_sfda.reading.tiff import tiff_orientation

__all__ = ["exif_orientation"]


def exif_orientation(path: str | Path) -> int:
    """How a picture is to be turned, 1 (upright) to 8; 1 for other files."""
    kind = sniff(path)
    if kind == "tiff":
        return tiff_orientation(path)
    if kind == "picture":
        try:
            with Image.open(path, formats=FORMATS) as picture:
                return known_orientation(picture.getexif().get(ExifTags.Base.Orientation))
        except UnidentifiedImageError:
            return 1
    return 1
