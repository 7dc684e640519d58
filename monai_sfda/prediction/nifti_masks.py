"""Write label maps as NIfTI files that match their images in ITK-SNAP, 3D Slicer and SimpleITK.

A label map takes the grid that these programs give to its image. They show an image in patient axes, of which the first
points to the left (L) and the second to the back (P); NIfTI counts the other way (R, A). An image without axes of its
own has columns along L and rows along P there, and lies as it is stored, whatever EXIF says. One exception: to
ophthalmic, visible-light and secondary-capture DICOM SimpleITK 2.5 gives pixels of 1, the mask has their Pixel Spacing.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from PIL import Image, UnidentifiedImageError

from monai_sfda.prediction.convert_masks import Item, convert_masks
from monai_sfda.reading.dicom_header import dicom_header, dicom_spacing
from monai_sfda.reading.exif import exif_orientation
from monai_sfda.reading.kind import sniff
from monai_sfda.reading.orientation import as_stored
from monai_sfda.volumes import label_map_like
from monai_sfda.volumes.save import new_label_map

__all__ = ["nifti_mask", "write_nifti"]

TAGS = ["PixelSpacing", "ImageOrientationPatient", "ImagePositionPatient"]
MM_PER_INCH = 25.4
FORMATS = ("BMP", "JPEG", "PNG", "TIFF")


def write_nifti(folder: Path, rows: Iterable[Mapping[str, Any]], images: Mapping[str, Item]) -> None:
    """Write ``folder/nifti/<path of the mask>.nii.gz`` of every row, see `convert_masks`.

    Args:
        folder: output of a prediction, with its ``masks``.
        rows: with ``file`` and ``mask``.
        images: file -> its item, with the path of the ``image``.
    """
    convert_masks(folder, "nifti", ".nii.gz", rows, images, lambda item, ids: nifti_mask(item["image"], ids))


def nifti_mask(image: str | Path, ids: np.ndarray) -> bytes:
    """A compressed NIfTI file of a label map, on the grid of its image.

    - NIfTI image: its own voxels, spacing and axes; its text is not copied.
    - DICOM image: (W, H, 1); Pixel Spacing, Image Position and Image Orientation (Patient) where the header has them.
    - Picture: (W, H), as it is stored, not turned by EXIF; the size of a pixel is that of the print, as ITK reads it,
      and no physical one: the file leaves the unit open.

    Args:
        image: path of the image.
        ids: (H, W) uint8, class of each pixel of the upright image.
    """
    kind = sniff(image)
    if kind == "nifti":
        mask = label_map_like(nibabel.load(image), ids.T)
    elif kind == "dicom":
        mask = _on_dicom(image, ids.T)
    else:
        mask = new_label_map(_as_stored(image, ids).T, _affine(_print_spacing(image)))
    return gzip.compress(mask.to_bytes(), mtime=0)


def _as_stored(path: str | Path, ids: np.ndarray) -> np.ndarray:
    """Ids of the upright picture, turned as EXIF says that the file is: ITK shows a picture as it is stored."""
    return as_stored(ids, exif_orientation(path))


def _on_dicom(path: str | Path, ids: np.ndarray) -> Any:
    data = dicom_header(path, tags=TAGS)
    spacing, _ = dicom_spacing(data)
    down, across = spacing or (1.0, 1.0)
    axes = data.get("ImageOrientationPatient") or (1, 0, 0, 0, 1, 0)
    affine = _affine((across, down), axes, data.get("ImagePositionPatient") or (0, 0, 0))
    mask = new_label_map(ids[..., None], affine)
    mask.header.set_xyzt_units("mm" if spacing else None)
    return mask


def _affine(
    spacing: Sequence[float], axes: Sequence[float] = (1, 0, 0, 0, 1, 0), origin: Sequence[float] = (0, 0, 0)
) -> np.ndarray:
    """From column, row and slice to R, A and S.

    Args:
        spacing: width and height of a pixel.
        axes: directions of a row (along the columns) and of a column in L, P and S, as DICOM has them.
        origin: the centre of the first pixel in L, P and S.
    """
    row, column = np.reshape(np.asarray(axes, float), (2, 3))
    affine = np.eye(4)
    affine[:3] = np.stack([row * spacing[0], column * spacing[1], np.cross(row, column), np.asarray(origin, float)], 1)
    return np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine


def _print_spacing(path: str | Path) -> tuple[float, float]:
    """Width and height of a pixel as ITK reads them: JPEG from its JFIF header, TIFF from its resolution, else 1."""
    try:
        with Image.open(path, formats=FORMATS) as picture:
            density = _dots_per_inch(picture)
    except UnidentifiedImageError:  # a tiff of a kind that Pillow does not know
        density = (0, 0)
    return tuple(MM_PER_INCH / float(dots) if dots else 1.0 for dots in density)  # type: ignore[return-value]


def _dots_per_inch(picture: Any) -> Sequence[float]:
    if picture.format == "TIFF":
        return picture.info.get("dpi", (0, 0))
    if picture.format == "JPEG":
        per_inch = {1: 1.0, 2: 2.54}.get(picture.info.get("jfif_unit", 0), 0)  # dots per inch, per centimetre
        return [per_inch * float(dots) for dots in picture.info.get("jfif_density", (0, 0))]
    return (0, 0)
