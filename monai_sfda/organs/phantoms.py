"""What phantoms of several organs share: shapes, the look of tissue, noise, and files.

A phantom is a drawing made of ellipsoids: it has the outlines of a region and the order of its grey levels, and nothing
of a patient. It shows that a workflow runs; a score on it means nothing for patients.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import nibabel
import numpy as np
from scipy import ndimage

from monai_sfda.files import whole_file

__all__ = ["Phantom", "blurred", "ellipsoid", "grid", "patient", "rician", "texture", "write_phantoms"]


class Phantom(NamedTuple):
    """One volume, axes right, anterior, superior."""

    image: np.ndarray
    """(X, Y, Z) int16, grey levels of the scanner, >= 0."""
    mask: np.ndarray
    """(X, Y, Z) uint8: 0 background, 1 the structure."""
    spacing: tuple[float, float, float]
    """Size of a voxel in mm."""


def patient(acquisition: str, acquisitions: Sequence[str], *, seed: int, index: int) -> np.random.Generator:
    """The draws of one patient, who is seen in one acquisition alone.

    Raises:
        ValueError: if there is no such acquisition.
    """
    if acquisition not in acquisitions:
        raise ValueError(f"Expected an acquisition out of {', '.join(acquisitions)}, found {acquisition!r}.")
    return np.random.default_rng([seed, index, acquisitions.index(acquisition)])


def grid(shape: Sequence[int], spacing: Sequence[float]) -> np.ndarray:
    """Places of voxels in mm from the middle of the volume, (3, X, Y, Z)."""
    sides = [(np.arange(count) - (count - 1) / 2) * size for count, size in zip(shape, spacing, strict=True)]
    return np.stack(np.meshgrid(*sides, indexing="ij")).astype(np.float32)


def ellipsoid(places: np.ndarray, centre: Sequence[float], radii: Sequence[float], power: float = 2) -> np.ndarray:
    """Where places (3, X, Y, Z) lie in an ellipsoid, bool (X, Y, Z); a higher ``power`` makes it box-like."""
    return sum(
        np.abs((axis - middle) / radius) ** power for axis, middle, radius in zip(places, centre, radii, strict=True)
    ) < np.float32(1)


def texture(rng: np.random.Generator, shape: Sequence[int], strength: float) -> np.ndarray:
    """A factor about 1 for each voxel, as tissue is never of one grey, with spots a few voxels wide."""
    spots = ndimage.gaussian_filter(rng.standard_normal(shape), 1.2)
    return 1 + strength * spots / spots.std()


def blurred(signal: np.ndarray, spacing: Sequence[float], width: float) -> np.ndarray:
    """A signal seen with a point spread of that standard deviation in mm."""
    return ndimage.gaussian_filter(signal, [width / size for size in spacing])


def rician(rng: np.random.Generator, signal: np.ndarray, deviation: float) -> np.ndarray:
    """The magnitude of a signal with noise in both of its channels, as MR images have it."""
    real, imaginary = (deviation * rng.standard_normal(signal.shape) for _ in range(2))
    return np.hypot(signal + real, imaginary)


def write_phantoms(folder: Path, draw: Callable[..., Phantom], acquisition: str, *, count: int, seed: int) -> None:
    """Write ``folder/{image,mask}/phantom_000.nii.gz`` and so on.

    Args:
        folder: made if missing.
        draw: ``draw(index, acquisition=..., seed=...)``.
        acquisition: one of those that ``draw`` knows.
        count: number of phantoms.
        seed: which population.
    """
    for index in range(count):
        phantom = draw(index, acquisition=acquisition, seed=seed)
        affine = np.diag([*phantom.spacing, 1.0])
        affine[:3, 3] = [-(side - 1) / 2 * mm for side, mm in zip(phantom.mask.shape, phantom.spacing, strict=True)]
        for name, voxels in (("image", phantom.image), ("mask", phantom.mask)):
            file = nibabel.Nifti1Image(voxels, affine)
            file.header.set_xyzt_units("mm")
            with whole_file(folder / name / f"phantom_{index:03d}.nii.gz") as draft:
                draft.write_bytes(_compressed(file))


def _compressed(file: nibabel.Nifti1Image) -> bytes:
    """The same bytes whenever they are written."""
    return gzip.compress(file.to_bytes(), 6, mtime=0)
