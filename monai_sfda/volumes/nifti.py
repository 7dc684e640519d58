"""Volumes of NIfTI files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel
import numpy as np

from monai_sfda.volumes.volume import Volume

__all__ = ["count_frames", "read_nifti_volume"]


def count_frames(path: str | Path) -> int:
    """Volumes of a file, of which all but those of time series have one."""
    return _frames(_shape(nibabel.load(path)))


def read_nifti_volume(path: str | Path, frame: int | None = None) -> Volume:
    """Read one volume, values scaled as the header says.

    Args:
        path: .nii or .nii.gz.
        frame: which volume of a series, from 0; a file of several has no volume without it.

    Raises:
        ValueError: if the file holds no such volume, or cannot be decoded.
    """
    image: Any = nibabel.load(path)
    shape = _shape(image)
    frames, name = _frames(shape), Path(path).name
    if frames > 1 and frame is None:
        raise ValueError(
            f"Expected one volume in {name}, found {frames} frames; name those to read, such as --frames "
            f"0,{frames // 2}, or read all of them with --frames all."
        )
    if frame is not None and not 0 <= frame < frames:
        raise ValueError(f"Expected a frame from 0 to {frames - 1} of {name}, found {frame}; correct --frames.")
    values = np.asarray(image.dataobj[..., frame] if len(shape) == 4 else image.dataobj)
    values = values.reshape(shape[:3])
    header = image.header
    placed = bool(header["sform_code"] > 0 or header["qform_code"] > 0)
    return Volume(values, np.asarray(image.affine, dtype=np.float64), placed=placed)


def _shape(image: Any) -> tuple[int, ...]:
    shape = list(image.shape)
    while len(shape) > 3 and shape[-1] == 1:
        shape.pop()
    return tuple(shape + [1] * (3 - len(shape)))


def _frames(shape: tuple[int, ...]) -> int:
    return shape[3] if len(shape) == 4 else 1
