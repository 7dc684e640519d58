"""The size of a pixel, in the forms that metrics and handlers accept."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from monai.data import MetaTensor
from torch import Tensor

__all__ = ["affine_spacing", "spacing_per_axis"]


def spacing_per_axis(spacing: float | Sequence[float], *, axes: int) -> np.ndarray:
    """Spread a spacing over axes.

    Returns:
        (axes,) float64, in the unit of ``spacing``.

    Raises:
        ValueError: if it does not fit, or a value is not a positive number.
    """
    values = np.asarray(spacing, dtype=np.float64)
    if values.shape not in {(), (axes,)}:
        raise ValueError(
            f"Expected a spacing with one number or {axes} (one per axis), found {spacing}; match it to the masks."
        )
    if not (np.isfinite(values) & (values > 0)).all():
        raise ValueError(f"Expected a spacing above 0, found {spacing}; give the size of a pixel.")
    return np.broadcast_to(values, axes)


def affine_spacing(image: Tensor) -> list[float]:
    """Read the spacing of an image (K, *S) from its affine, which resizing transforms keep true.

    Returns:
        One number per axis (width, height, as MONAI reads): millimetres for NIfTI, pixels of the stored picture
        otherwise. Of a tilted stack these are distances along its axes, which surface distances take for perpendicular.

    Raises:
        ValueError: if the image carries no affine.
    """
    if not isinstance(image, MetaTensor):
        raise ValueError(
            f"Expected an image that carries an affine, found a {type(image).__name__}; "
            "read it with LoadImaged, or give the spacing as a number."
        )
    affine = torch.as_tensor(image.affine)  # whose columns are the steps from voxel to voxel, along whatever axes
    return affine[:-1, : image.ndim - 1].norm(dim=0).tolist()
