"""Read any clinic photograph as 8-bit RGB, and any label map as class ids, for MONAI's ``LoadImage``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from monai.data import PILReader
from monai.utils import ensure_tuple
from PIL import Image

from monai_sfda.files import SUFFIXES
from monai_sfda.transforms.decode import exif_orientation, open_picture, read_nifti, read_rgb, sniff
from monai_sfda.transforms.decode_apart import decode_apart
from monai_sfda.transforms.nested import refuse_unknown_ids

__all__ = ["MaskReader", "PhotoReader"]

HUGE = 50_000_000  # pixels, more than a fundus camera makes


class PhotoReader(PILReader):
    """Read a picture, DICOM or 2D NIfTI file as upright 8-bit RGB.

    Use as ``LoadImaged("image", reader=PhotoReader())``. Grey becomes three equal channels; alpha is dropped, never
    blended; palettes and CMYK are resolved; EXIF rotation is applied; deeper data follow
    :func:`monai_sfda.transforms.decode.to_uint8`. Gives (W, H, 3) and the metadata of MONAI's ``PILReader``, so that
    ``Invertd`` and ``SaveImaged`` write masks of the size and orientation of the upright picture.
    """

    def __init__(self) -> None:
        super().__init__()

    def verify_suffix(self, filename: Any) -> bool:
        return all(str(name).lower().endswith(SUFFIXES) for name in ensure_tuple(filename))

    def read(self, data: Any, **_: Any) -> Any:
        """Only name the files: ``LoadImage`` answers a failing ``read`` with other readers and a page of traces."""
        return [Path(name) for name in ensure_tuple(data)]

    def get_data(self, img: Any) -> tuple[np.ndarray, dict]:
        paths = ensure_tuple(img)
        array, meta = super().get_data([self.decode(path) for path in paths])
        return array, {**meta, "exif_turned": exif_orientation(paths[0]) != 1}

    def decode(self, path: Path) -> Image.Image:
        """Decode one file to a Pillow image of mode RGB."""
        return Image.fromarray(self.decode_array(path))

    def decode_array(self, path: str | Path) -> np.ndarray:
        """Decode one file to (H, W, 3) uint8; huge files and all but png and jpeg in a process that may crash."""
        sniff(path)  # an empty or missing file says so itself
        return read_rgb(path) if _common(path) else decode_apart(path)


def _common(path: str | Path) -> bool:
    with open(path, "rb") as file:
        if not file.read(8).startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")):
            return False
        try:
            with Image.open(file, formats=("PNG", "JPEG")) as image:
                return image.width * image.height < HUGE
        except Image.DecompressionBombError:
            return True  # and refused without being decoded
        except (OSError, ValueError, SyntaxError):
            return False


class MaskReader(PhotoReader):
    """Read a label map as class ids 0..255, unconverted: use as ``LoadImaged("label", reader=MaskReader())``.

    A palette file gives its indices, 1 bit gives 0 and 1, an RGB file must have equal channels. Gives (W, H) uint8; of
    a NIfTI file its affine keeps the size of a pixel.

    Args:
        ids: the ids that may occur; None accepts all.

    Raises:
        ValueError: on reading colours, fractions, ids beyond 255, or ids that may not occur.
    """

    def __init__(self, ids: Sequence[int] | None = None) -> None:
        super().__init__()
        self.ids = ids

    def get_data(self, img: Any) -> tuple[np.ndarray, dict]:
        array, meta = super().get_data(img)
        first = ensure_tuple(img)[0]
        if sniff(first) == "nifti":
            meta["as_stored"] = True
            # for distances in millimetres
            meta["affine"] = meta["original_affine"] = np.diag([*_zooms(first), 1.0, 1.0])
        return array, meta

    def decode(self, path: Path) -> Image.Image:
        """Decode one file to a Pillow image of mode L that holds the ids."""
        kind = sniff(path)
        if kind == "dicom":
            raise ValueError(f"Expected a mask as picture or NIfTI, found the DICOM file {path.name}; save it as png.")
        levels = _picture_to_levels(open_picture(path), path.name) if kind == "picture" else read_nifti(path)
        ids = _class_ids(levels, path.name)
        if self.ids is not None:
            refuse_unknown_ids(ids, self.ids, path.name)
        return Image.fromarray(ids)


def _zooms(path: str | Path) -> tuple[float, float]:
    header: Any = nibabel.load(path).header
    return header.get_zooms()[:2]


def _picture_to_levels(image: Image.Image, name: str) -> np.ndarray:
    levels = np.asarray(image)
    if image.mode in ("LA", "PA"):
        return levels[..., 0]
    if levels.ndim == 2 or image.mode in ("RGB", "RGBA"):
        return levels
    raise _colours(name)


def _class_ids(levels: np.ndarray, name: str) -> np.ndarray:
    """(H, W) or (H, W, >= 3) with equal channels -> (H, W) uint8."""
    if levels.ndim == 3:
        if (levels[..., :3] != levels[..., :1]).any():
            raise _colours(name)
        levels = levels[..., 0]
    ids = levels.astype(np.uint8)
    if (ids != levels).any():
        raise ValueError(
            f"Expected whole class ids from 0 to 255 in mask {name}, found values from {levels.min()} to "
            f"{levels.max()}; save it as 8-bit grey or palette png."
        )
    return np.ascontiguousarray(ids)


def _colours(name: str) -> ValueError:
    return ValueError(f"Expected class ids in mask {name}, found colours; save it as 8-bit grey or palette png.")
