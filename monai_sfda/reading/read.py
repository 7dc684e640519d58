"""Read any accepted file: as it is stored, and as it is shown."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from monai_sfda.reading.kind import sniff
from monai_sfda.reading.levels import Scale, scale_of, to_uint8
from monai_sfda.reading.orientation import upright
from monai_sfda.reading.palette import resolved
from monai_sfda.reading.stored import Facts, Shown, Stored

__all__ = ["read_image", "read_stored"]


def read_stored(path: str | Path) -> Stored:
    """Read a file by the decoder it needs, which is imported when first needed.

    Raises:
        ImportError: for DICOM, if pydicom is not installed.
        ValueError, OSError: as the decoders.
    """
    kind = sniff(path)
    if kind == "picture":
        from monai_sfda.reading.picture import read_picture as read
    elif kind == "tiff":
        from monai_sfda.reading.tiff import read_tiff as read
    elif kind == "dicom":
        from monai_sfda.reading.dicom import read_dicom as read
    else:
        from monai_sfda.reading.nifti import read_nifti as read
    return read(path)


def read_image(path: str | Path, levels: Sequence[float] | None = None) -> Shown:
    """Decode any accepted file to upright 8-bit RGB, and say what was read.

    Grey becomes three equal channels; alpha is dropped, never blended; palettes and CMYK are resolved.

    Args:
        path: of the file.
        levels: those that become black and white in files deeper than 8 bits that do not say their depth.

    Raises:
        ImportError, ValueError, OSError: as `read_stored`.
    """
    stored = read_stored(path)
    pixels, scale = stored.levels, Scale(0, 255, "file")
    if stored.palette is not None:
        pixels = resolved(pixels, stored.palette, Path(path).name)
    else:
        scale = scale_of(pixels, stored.bits, levels)
        pixels = to_uint8(pixels, scale)
    pixels = upright(255 - pixels if stored.inverted else pixels, stored.orientation)
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[..., None], 3, axis=-1)
    return Shown(np.ascontiguousarray(pixels), _facts(stored, scale, pixels.shape))


def _facts(stored: Stored, scale: Scale, shape: tuple[int, ...]) -> Facts:
    return Facts(
        height=shape[0],
        width=shape[1],
        channels=1 if stored.levels.ndim == 2 else stored.levels.shape[2],
        stored=stored.levels.dtype.name,
        colours=stored.colours,
        black=scale.black,
        white=scale.white,
        scale_from=scale.source,
        inverted=stored.inverted,
        orientation=stored.orientation,
        frame=stored.frame,
        spacing=stored.spacing,
        spacing_from=stored.spacing_from,
    )
