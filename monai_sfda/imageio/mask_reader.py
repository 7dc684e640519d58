"""Read any label map as class ids, for MONAI's ``LoadImage``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from monai.utils import ensure_tuple
from nibabel.affines import voxel_sizes
from PIL import Image

from monai_sfda.imageio.photo_reader import PhotoReader
from monai_sfda.reading.kind import sniff
from monai_sfda.reading.nifti import size_factors
from monai_sfda.reading.orientation import upright
from monai_sfda.reading.read import read_stored
from monai_sfda.reading.stored import Stored
from monai_sfda.transforms.nested import refuse_unknown_ids

__all__ = ["MaskReader"]


ROUNDED = 1e-3  # NIfTI stores ids with a factor, such as 1/255, that is rounded


class MaskReader(PhotoReader):
    """Read a label map as class ids 0..255, unconverted: use as ``LoadImaged("label", reader=MaskReader())``.

    A palette file gives its indices, 1 bit gives 0 and 1, an RGB file must have equal channels. Where only 0 and 1 may
    occur, 0 and 255 are read as these. Gives (W, H) uint8; of a NIfTI file its affine keeps the size of a pixel.

    Args:
        ids: the ids that may occur; None accepts all.

    Raises:
        ValueError: on reading a file of lossy compression, colours, labels in an alpha channel, fractions, ids beyond
            255, or ids that may not occur.
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
            meta["affine"] = meta["original_affine"] = np.diag([*_sizes(first), 1.0, 1.0])
        return array, meta

    def decode(self, path: Path) -> Image.Image:
        """Decode one file to a Pillow image of mode L that holds the ids; ``info`` as in `PhotoReader`."""
        if sniff(path) == "dicom":
            raise ValueError(f"Expected a mask as picture or NIfTI, found the DICOM file {path.name}; save it as png.")
        stored = read_stored(path)
        _refuse_lossy(stored, path.name)
        ids = _class_ids(stored, path.name)
        _refuse_alpha(ids, stored.alpha, path.name)
        ids = np.ascontiguousarray(upright(ids, stored.orientation))
        if self.ids is not None:
            if set(self.ids) == {0, 1} and ((ids == 0) | (ids == 255)).all():
                ids //= 255
            refuse_unknown_ids(ids, self.ids, path.name)
        picture = Image.fromarray(ids)
        picture.info["orientation"] = stored.orientation
        return picture


def _sizes(path: str | Path) -> tuple[float, float]:
    image: Any = nibabel.load(path)
    height, width = size_factors(image) or (1.0, 1.0)
    return tuple((voxel_sizes(image.affine)[:2] * (width, height)).tolist())


def _class_ids(stored: Stored, name: str) -> np.ndarray:
    """(H, W) uint8."""
    levels = stored.levels
    if stored.colours not in ("grey", "palette", "RGB"):
        raise _colours(name)
    if levels.ndim == 3:
        if (levels != levels[..., :1]).any():
            raise _colours(name)
        levels = levels[..., 0]
    if stored.palette is not None:
        _refuse_other_greys(levels, stored.palette, name)
    if stored.inverted:
        _refuse_inverted_table(levels, name)
        levels = _less(levels, stored.bits)
    with np.errstate(invalid="ignore"):
        ids = np.rint(levels).astype(np.uint8)
    if not (abs(ids - levels.astype(float)) < ROUNDED).all():
        raise ValueError(
            f"Expected whole class ids from 0 to 255 in mask {name}, found values from {levels.min()} to "
            f"{levels.max()}; save it as 8-bit grey or palette png."
        )
    return ids


def _refuse_other_greys(indices: np.ndarray, palette: np.ndarray, name: str) -> None:
    """Of a table without colours either the indices or the greys may be the ids; black and white are 0 and 1."""
    if (palette != palette[:, :1]).any():
        return
    used = np.unique(indices[indices < len(palette)]).astype(int)
    greys = palette[used, 0]
    if not ((greys == used).all() or (greys == 255 * used).all() or _is_stretched(indices, palette[:, 0])):
        raise ValueError(
            f"Expected class ids in mask {name}, found a palette of greys in another order or range than its indices; "
            "save it as 8-bit grey png of the ids."
        )


def _is_stretched(indices: np.ndarray, table: np.ndarray) -> bool:
    """Whether indices are shown at equal distances from black, the background, to white.

    REFUGE has such greys the other way round: 0 is the cup, and white the background.
    """
    greys = np.trim_zeros(table, "b").astype(float)  # files fill up a table behind its last grey
    if len(greys) < 2 or indices.max() >= len(greys):
        return False
    border = np.concatenate([indices[0], indices[-1], indices[:, 0], indices[:, -1]])
    off = abs(greys - np.linspace(0, 255, len(greys))).max()
    even = off < 2 and (np.diff(greys) >= 0).all()  # programs round twice
    return bool(even and np.bincount(border).argmax() == 0)


def _refuse_inverted_table(levels: np.ndarray, name: str) -> None:
    """ImageJ stores a mask of black and white as 0 and 255 with an inverted table, and means the stored values."""
    if levels.dtype == np.uint8 and ((levels == 0) | (levels == 255)).all():
        raise ValueError(
            f"Expected class ids in mask {name}, found 0 and 255 of which 0 is white (an inverted lookup table, as of "
            "ImageJ), so that it is unclear which one is the structure; save it as 8-bit grey png of the ids."
        )


def _less(levels: np.ndarray, bits: int | None) -> np.ndarray:
    """The largest level less each."""
    if bits is not None:
        return 2**bits - 1 - levels
    return ~levels if levels.dtype.kind in "bu" else -levels


def _refuse_lossy(stored: Stored, name: str) -> None:
    if stored.lossy:
        raise ValueError(
            f"Expected a losslessly compressed mask in {name}, found lossy compression (such as JPEG), which changes "
            "class ids along every border; save it as png, from the original labels."
        )


def _refuse_alpha(ids: np.ndarray, alpha: np.ndarray | None, name: str) -> None:
    """Labels of which the alpha channel says more than the levels."""
    if alpha is None or (alpha == alpha.flat[0]).all():
        return
    of_each = (alpha[ids == level] for level in np.unique(ids))
    if any((values != values[0]).any() for values in of_each):
        raise ValueError(
            f"Expected class ids in the levels of mask {name}, found them in its alpha channel (transparency); save it "
            "as 8-bit grey or palette png."
        )


def _colours(name: str) -> ValueError:
    return ValueError(f"Expected class ids in mask {name}, found colours; save it as 8-bit grey or palette png.")
