"""Read one volume, of whatever kind of file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from monai_sfda.files import paths_of
from monai_sfda.reading.kind import sniff
from monai_sfda.reading.stored import Refused
from monai_sfda.volumes.nifti import read_nifti_volume
from monai_sfda.volumes.pictures import read_pictures
from monai_sfda.volumes.series import read_series
from monai_sfda.volumes.volume import Volume

__all__ = ["read_volume"]


def read_volume(path: str | Path | Sequence[str], frame: int | None = None, *, ids: bool = False) -> Volume:
    """Read one volume.

    Args:
        path: a NIfTI file, a DICOM file or the files of one series, or pictures in the order of the slices.
        frame: which volume of a series in time, from 0.
        ids: whether it is a label map.

    Raises:
        ImportError: for DICOM, if pydicom is not installed.
        ValueError: if there is no such volume, or it cannot be used.
    """
    paths = paths_of(path)
    kind = sniff(paths[0])
    if kind == "nifti":
        volume = read_nifti_volume(paths[0], frame)
    elif kind == "dicom":
        volume = read_series(paths, frame)
    elif frame is None:
        volume = read_pictures(paths, ids=ids)
    else:
        raise Refused(f"Expected no frame of pictures, found frame {frame}; list them without frames.")
    wrong = 0 if volume.values.dtype.kind in "iu" else int(np.count_nonzero(~np.isfinite(volume.values)))
    if wrong:
        raise Refused(
            f"Expected finite values in {Path(paths[0]).name}, found NaN or infinity in {wrong} voxels; export it "
            "again."
        )
    return volume
