"""PNG, JPEG and BMP, by Pillow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from monai_sfda.reading.kind import other_content
from monai_sfda.reading.orientation import known_orientation
from monai_sfda.reading.png import deep_colours, png_depth, significant_bits
from monai_sfda.reading.stored import Huge, Refused, Stored

__all__ = ["FORMATS", "pillow_levels", "read_picture"]

FORMATS = ("BMP", "JPEG", "PNG")


def read_picture(path: str | Path) -> Stored:
    """Read a png, jpeg or bmp file with one picture.

    Raises:
        ValueError: if the content is something else, has several pictures, is cut short or unreasonably large.
        OSError: if the file cannot be opened.
    """
    name = Path(path).name
    try:
        # Pillow's other formats are left out: some of them start external programs.
        with open(path, "rb") as file, Image.open(file, formats=FORMATS) as image:
            _refuse_frames(image, name)
            _refuse_unsaid_inks(image, name)
            orientation = known_orientation(image.getexif().get(ExifTags.Base.Orientation))
            if image.format == "PNG":
                stored = _png(image, path)
            else:
                stored = pillow_levels(image)
                stored.lossy = image.format != "BMP"
    except UnidentifiedImageError as error:
        raise other_content(path, "png, jpeg, tiff or bmp picture") from error
    except Image.DecompressionBombError as error:
        raise Huge(f"Expected a picture of reasonable size, found {name} ({error}); export a smaller one.") from error
    except OSError as error:
        if error.errno is not None:
            raise
        raise ValueError(f"Expected a whole picture in {name}, found: {error}; export or copy it again.") from error
    stored.orientation = orientation
    return stored


def pillow_levels(image: Image.Image) -> Stored:
    """The levels of an opened Pillow image of any mode."""
    mode = image.mode
    if mode == "P":
        palette = np.zeros((256, 3), np.uint8)
        colours = np.reshape(image.getpalette("RGB") or [], (-1, 3))[:256]
        palette[: len(colours)] = colours
        return Stored(np.asarray(image), "palette", palette=palette)
    if mode in ("LA", "PA", "RGBA"):
        *_, alpha = image.split()
        stored = pillow_levels(image.convert({"LA": "L", "PA": "P", "RGBA": "RGB"}[mode]))
        stored.alpha = np.asarray(alpha)
        return stored
    if mode in ("1", "L", "I", "F", "RGB") or mode.startswith("I;16"):
        return Stored(np.asarray(image), "RGB" if mode == "RGB" else "grey")
    return Stored(np.asarray(image.convert("RGB")), mode)


def _png(image: Any, path: str | Path) -> Stored:
    bits, kind = png_depth(path)
    if bits == 16:
        stored = Stored(np.asarray(image), "grey") if kind == 0 else deep_colours(image, path)
        stored.bits = significant_bits(path, stored.levels)
        return stored
    stored = pillow_levels(image)
    if bits in (2, 4) and kind == 0:  # which Pillow spreads over 0..255; a label map has them as they are
        stored.levels, stored.bits = stored.levels // (255 // (2**bits - 1)), bits
    return stored


def _refuse_frames(image: Any, name: str) -> None:
    """Pictures of an animation; the second one of a JPEG is a small or stereoscopic copy."""
    frames = getattr(image, "n_frames", 1)
    if image.format == "PNG" and frames > 1:
        raise ValueError(f"Expected one picture in {name}, found an animation of {frames}; save each as a file.")


def _refuse_unsaid_inks(image: Any, name: str) -> None:
    """Adobe stores CMYK inverted, and marks it; of other programs some do, some do not."""
    if image.format == "JPEG" and image.mode == "CMYK" and "adobe" not in image.info:
        raise Refused(
            f"Expected RGB, or CMYK as Adobe marks it, in {name}, found a jpeg that does not say whether 0 is no ink "
            "or full ink; save it as RGB."
        )
