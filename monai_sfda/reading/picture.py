"""PNG, JPEG and BMP, by Pillow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from monai_sfda.reading.bmp import few_greys
from monai_sfda.reading.disk import is_of_the_disk
from monai_sfda.reading.kind import other_content
from monai_sfda.reading.orientation import known_orientation
from monai_sfda.reading.png import deep_colours, holds_all_rows, png_depth, significant_bits
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
            elif image.format == "BMP":
                stored = few_greys(image, path) or pillow_levels(image)
            else:
                stored = pillow_levels(image)
                stored.lossy = True
    except UnidentifiedImageError as error:
        raise other_content(path, "png, jpeg, tiff or bmp picture") from error
    except Image.DecompressionBombError as error:
        raise Huge(f"Expected a picture of reasonable size, found {name} ({error}); export a smaller one.") from error
    except (Refused, MemoryError):
        raise
    except Exception as error:  # as varied as damage
        if is_of_the_disk(error):
            raise
        raise _damaged(name) from error
    stored.orientation = orientation
    return stored


def pillow_levels(image: Image.Image) -> Stored:
    """The levels of an opened Pillow image of any mode."""
    mode = image.mode
    if mode == "P":
        palette = np.reshape(image.getpalette("RGB") or [], (-1, 3)).astype(np.uint8)
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
    else:
        stored = pillow_levels(image)
    # Pillow leaves rows that are missing at 0: of an interlaced picture one of the last two, of others the last.
    if not (stored.levels[-1].any() and stored.levels[-2:][0].any()) and not holds_all_rows(path):
        raise _damaged(Path(path).name)
    if bits in (2, 4) and kind == 0:  # which Pillow spreads over 0..255; a label map has them as they are
        stored.levels, stored.bits = stored.levels // (255 // (2**bits - 1)), bits
    return stored


def _damaged(name: str) -> Refused:
    found = "one that is damaged or cut short"
    return Refused(f"Expected a whole picture in {name}, found {found}; export or copy it again.")


def _refuse_frames(image: Any, name: str) -> None:
    """Pictures of an animation; the second one of a JPEG is a small or stereoscopic copy."""
    frames = getattr(image, "n_frames", 1)
    if image.format == "PNG" and frames > 1:
        raise Refused(f"Expected one picture in {name}, found an animation of {frames}; save each as a file.")


def _refuse_unsaid_inks(image: Any, name: str) -> None:
    """Adobe stores CMYK inverted, and marks it; of other programs some do, some do not."""
    if image.format == "JPEG" and image.mode == "CMYK" and "adobe" not in image.info:
        raise Refused(
            f"Expected RGB, or CMYK as Adobe marks it, in {name}, found a jpeg that does not say whether 0 is no ink "
            "or full ink; save it as RGB."
        )
