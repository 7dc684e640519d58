"""Read one volume, of whatever kind of file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from monai_sfda.volumes.nifti import read_nifti_volume
from monai_sfda.volumes.volume import Volume

__all__ = ["read_volume"]


def read_volume(path: str | Path | Sequence[str], frame: int | None = None) -> Volume:
    """Read one volume.

    Args:
        path: a NIfTI file.
        frame: which volume of a series in time, from 0.

    Raises:
        ValueError: if there is no such volume, or it cannot be used.
    """
    if not isinstance(path, str | Path):
        raise ValueError(f"Expected a NIfTI file, found {len(path)} files.")
    volume = read_nifti_volume(path, frame)
    floats = volume.values.dtype.kind == "f"
    wrong = int(np.count_nonzero(~np.isfinite(volume.values))) if floats else 0
    if wrong:
        raise ValueError(
            f"Expected finite values in {Path(path).name}, found NaN or infinity in {wrong} voxels; export it again."
        )
    return volume
