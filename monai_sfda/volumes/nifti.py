"""Volumes of NIfTI files."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from nibabel.affines import voxel_sizes
from nibabel.imageglobals import logger
from nibabel.openers import ImageOpener

from monai_sfda.reading.kind import sniff
from monai_sfda.reading.nifti import MM, checked, damaged_nifti, is_of_disk, nifti_units
from monai_sfda.reading.stored import Refused, refuse_huge
from monai_sfda.volumes.volume import MOST_VOXELS, SAME_PLACE, Volume, corner_distance, size_text

__all__ = ["count_frames", "read_nifti_volume"]

SAME_SIZE = 0.01
FLAT = 1e-3
"""Of the volume that the sides of a voxel would span at right angles: what spans less lies in a plane."""


def count_frames(path: str | Path) -> int:
    """Volumes of a file, of which all but those of time series have one."""
    return _frames(_shape(_opened(path), path))


def read_nifti_volume(path: str | Path, frame: int | None = None) -> Volume:
    """Read one volume, values scaled as the header says, lengths in mm (also where the header has no unit).

    Args:
        path: .nii or .nii.gz.
        frame: which volume of a series, from 0; a file of several has no volume without it.

    Raises:
        ValueError: if the file holds no such volume, cannot be decoded, or does not say clearly how its voxels lie.
    """
    image, name = _opened(path), Path(path).name
    shape = _shape(image, path)
    frames = _frames(shape)
    if frames > 1 and frame is None:
        raise Refused(
            f"Expected one volume in {name}, found {frames} frames; name those to read, such as --frames "
            f"0,{frames // 2}, or read all of them with --frames all."
        )
    if frame is not None and not 0 <= frame < frames:
        raise Refused(f"Expected a frame from 0 to {frames - 1} of {name}, found {frame}; correct --frames.")
    placed = _place(image, path, shape)
    return placed._replace(values=_values(image, path, frame if len(shape) == 4 else None).reshape(shape[:3]))


def _opened(path: str | Path) -> Any:
    sniff(path)  # says what an empty file and one of git-lfs are
    logger.setLevel(logging.CRITICAL)  # it tells of headers without naming the file, whose reader does
    try:
        return nibabel.load(path)
    except OSError as error:
        if is_of_disk(error):
            raise
        raise damaged_nifti(path, error) from None
    except Exception as error:  # as varied as broken headers
        raise damaged_nifti(path, error) from None


def _shape(image: Any, path: str | Path) -> tuple[int, ...]:
    """Three or four numbers."""
    shape, name, kind = list(image.shape), Path(path).name, image.get_data_dtype()
    if kind.names or kind.kind == "c":
        found = "colours" if kind.names else "complex numbers"
        raise Refused(f"Expected one grey value per voxel in {name}, found {found}; save it as grey values.")
    while len(shape) > 3 and shape[-1] == 1:
        shape.pop()
    if len(shape) > 4:
        raise Refused(
            f"Expected a volume, or frames of one, in {name}, found {size_text(shape)} values, several per voxel; save "
            "them as separate files."
        )
    if not all(shape):
        raise Refused(f"Expected voxels in {name}, found none ({size_text(shape)}); export it again.")
    refuse_huge(shape[:3], path, MOST_VOXELS)
    return tuple(shape + [1] * (3 - len(shape)))


def _frames(shape: tuple[int, ...]) -> int:
    return shape[3] if len(shape) == 4 else 1


def _values(image: Any, path: str | Path, frame: int | None) -> np.ndarray:
    """One frame, without reading the others into memory; integers as they are, other numbers as float32."""
    try:
        if frame is None:
            values = np.asanyarray(checked(image, path).dataobj)
        else:
            values = np.asanyarray(image.dataobj[:, :, :, frame])
    except OSError as error:
        if is_of_disk(error):
            raise
        raise damaged_nifti(path, error) from None
    except Exception as error:
        raise damaged_nifti(path, error) from None
    with np.errstate(all="ignore"):  # what is not finite is refused by whoever reads
        return values if values.dtype.kind in "iu" else values.astype(np.float32)


def _place(image: Any, path: str | Path, shape: tuple[int, ...]) -> Volume:
    """How the voxels lie: by the sform, else by the qform, as in nibabel.

    ITK follows the one or the other, depending on its version, so that both have to say the same.
    """
    header, name = image.header, Path(path).name
    unit, _ = nifti_units(header)
    written = _written_sizes(image, path)
    codes = [bool(header[form] > 0) for form in ("sform_code", "qform_code")]
    if all(codes):
        apart = corner_distance(image.affine, _qform(header, path), shape)
        if not apart < SAME_PLACE:
            raise Refused(
                f"Expected one place of each voxel in {name}, found an sform and a qform that differ by {apart:.1f} "
                "voxels at a corner; set the code of the wrong one to 0."
            )
    affine = np.array(image.affine, np.float64)
    sides = affine[:3, :3]
    if not np.isfinite(affine).all() or not abs(np.linalg.det(sides)) > FLAT * np.linalg.norm(sides, axis=0).prod():
        raise Refused(
            f"Expected an affine that gives each voxel of {name} a place of its own, found a singular one; export it "
            "again."
        )
    affine = _with_sizes(affine, written, name)
    affine[:3] *= MM.get(unit, 1.0)
    sized = any(codes) or unit != "unknown" or bool((written != 1).any())
    return Volume(np.empty(0), affine, placed=any(codes), measured=sized and len(written) == 3, sized=sized)


def _with_sizes(affine: np.ndarray, written: np.ndarray, name: str) -> np.ndarray:
    """An affine with the sizes of ``pixdim``, where it counts in voxels, as in the release of ACDC.

    Raises:
        ValueError: if both state sizes, which differ.
    """
    placed = voxel_sizes(affine)[: len(written)]
    if np.allclose(placed, written, rtol=SAME_SIZE) or np.allclose(written, 1, rtol=SAME_SIZE):
        return affine
    if not np.allclose(placed, 1, rtol=SAME_SIZE):
        raise Refused(
            f"Expected one size of a voxel in {name}, found {size_text(written)} (pixdim) and {size_text(placed)} (the "
            "affine); correct the header."
        )
    affine[:3, : len(written)] *= written
    return affine


def _qform(header: Any, path: str | Path) -> np.ndarray:
    try:
        return header.get_qform()
    except Exception as error:  # no rotation
        raise damaged_nifti(path, error) from None


def _written_sizes(image: Any, path: str | Path) -> np.ndarray:
    """The sizes of a voxel as the header has them, for nibabel replaces 0 by 1.

    Raises:
        ValueError: if one of them is 0, or no number.
    """
    with ImageOpener(str(path)) as file:
        header = type(image.header).from_fileobj(file, check=False)
    sizes = np.abs(header["pixdim"][1 : 1 + min(3, int(header["dim"][0]))])
    if not (np.isfinite(sizes) & (sizes > 0)).all():
        raise Refused(
            f"Expected voxels of a size above 0 in {Path(path).name}, found {size_text(sizes)} (pixdim); correct the "
            "header, or export it again."
        )
    return sizes
