"""What every reader of volumes gives: voxels as stored, and where they lie in the patient."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
from nibabel.affines import apply_affine, voxel_sizes

__all__ = ["MOST_VOXELS", "SAME_PLACE", "Volume", "corner_distance", "size_text"]

MOST_VOXELS = 2**29
"""More are not read: 2 GiB as float32, 1024 x 1024 x 512 voxels."""

SAME_PLACE = 0.5
"""Corners that lie less than this many voxels apart are taken for one."""


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
    sized: bool = True
    """Whether at least the size of a pixel is known in mm; that of a single slice may have no thickness."""

    @property
    def zooms(self) -> np.ndarray:
        """(3,) size of a voxel along each axis, in mm."""
        return voxel_sizes(self.affine)


def corner_distance(first: np.ndarray, second: np.ndarray, shape: Sequence[int]) -> float:
    """Largest distance of the same corner of a volume by two affines, in voxels: of the smallest side of the first."""
    corners = np.array(list(product(*((0, number - 1) for number in shape[:3]))))
    distances = np.linalg.norm(apply_affine(first, corners) - apply_affine(second, corners), axis=1)
    return float(distances.max() / voxel_sizes(first).min())


def size_text(numbers: Iterable[float]) -> str:
    """``216 x 256 x 10``."""
    return " x ".join(f"{number:g}" for number in numbers)
