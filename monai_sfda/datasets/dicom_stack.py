"""DICOM files of a download, one slice each, as a volume at its place."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from monai_sfda.datasets.cine import stack
from monai_sfda.datasets.lps import RAS_OF_LPS

__all__ = ["by_position", "read_slice", "stack_image"]


def read_slice(path: Path) -> Any:
    """A slice of pydicom, with pixels that can be decoded.

    Raises:
        ValueError: if it is no DICOM file, or lacks pixels or place.
    """
    from pydicom import dcmread  # comes with an extra
    from pydicom.errors import InvalidDicomError

    try:
        file = dcmread(path)
        _ = file.pixel_array, file.ImagePositionPatient, file.ImageOrientationPatient, file.PixelSpacing
    except (InvalidDicomError, AttributeError) as error:
        raise ValueError(f"Expected a slice with its position in {path}, found: {error}; download it again.") from error
    return file


def by_position(files: Sequence[Any]) -> list[Any]:
    """Slices of `read_slice` in the order in which they lie, along the cross product of rows and columns.

    Raises:
        ValueError: if they are of several series.
    """
    series = {str(file.SeriesInstanceUID) for file in files}
    if len(series) > 1:
        raise ValueError(f"Expected one series in a folder, found {len(series)}; download it again.")
    normal = np.cross(*np.array(files[0].ImageOrientationPatient, float).reshape(2, 3))
    return sorted(files, key=lambda file: float(np.dot(file.ImagePositionPatient, normal)))


def stack_image(files: Sequence[Any]) -> nib.Nifti1Image:
    """The volume (W, H, slices) of slices in their order, values as stored.

    Raises:
        ValueError: if the slices differ in size, or do not lie one behind the other at equal distances.
    """
    image = nib.Nifti1Image(stack([file.pixel_array for file in files]), _affine(files))
    image.set_qform(image.affine, code=1)
    image.set_sform(image.affine, code=1)
    image.header.set_xyzt_units("mm")
    return image


def _affine(files: Sequence[Any]) -> np.ndarray:
    """(4, 4) voxel (column, row, slice) -> mm in RAS."""
    positions = np.array([file.ImagePositionPatient for file in files], float)
    along = np.array(files[0].ImageOrientationPatient, float).reshape(2, 3)
    steps = np.diff(positions, axis=0)
    if not len(steps):
        steps = np.cross(*along)[None] * float(files[0].SliceThickness)
    step = steps.mean(0)
    if np.linalg.norm(step) == 0 or np.abs(steps - step).max() > 0.1 * np.linalg.norm(step):
        distances = ", ".join(f"{np.linalg.norm(one):.1f}" for one in steps)
        raise ValueError(
            f"Expected slices one behind the other, found distances of {distances} mm; the series is another one, or "
            "not complete: download it again."
        )
    rows, columns = map(float, files[0].PixelSpacing)
    affine = np.eye(4)
    affine[:3] = np.stack([along[0] * columns, along[1] * rows, step, positions[0]], axis=1)
    return RAS_OF_LPS @ affine
