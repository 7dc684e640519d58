"""What every reader of volumes gives: voxels as stored, and where they lie in the patient."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from nibabel.affines import voxel_sizes

__all__ = ["Volume"]


class Volume(NamedTuple):
    """One volume as its file stores it."""

    values: np.ndarray
    """(X, Y, Z), finite; the first axis is the first of the file."""
    affine: np.ndarray
    """(4, 4) float64, from voxel to mm in the patient: right, front, head (as nibabel counts)."""
    placed: bool = True
    """Whether the file says how the voxels lie in the patient; otherwise x are columns, y rows, z slices."""
    measured: bool = True
    """Whether the size of a voxel is known in mm."""

    @property
    def zooms(self) -> np.ndarray:
        """(3,) size of a voxel along each axis, in mm."""
        return voxel_sizes(self.affine)
