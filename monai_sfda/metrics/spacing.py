"""The size of a pixel, in the forms that metrics and handlers accept."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from monai.data import MetaTensor
from torch import Tensor

__all__ = ["Spacing", "affine_spacing", "spacing_per_case"]

Spacing = float | Sequence[float] | Sequence[Sequence[float]]
"""One size for all, one per axis, or one list per case."""


def spacing_per_case(spacing: Spacing, *, cases: int, axes: int) -> np.ndarray:
    """Spread a spacing over cases and axes.

    Returns:
        (cases, axes) float64, in the unit of ``spacing``.

    Raises:
        ValueError: if it does not fit, or a value is not a positive number.
    """
    values = np.asarray(spacing, dtype=np.float64)
    if values.shape not in {(), (axes,), (cases, 1), (cases, axes)}:
        raise ValueError(
            f"Expected a spacing with one number, {axes} (one per axis) or {cases} x {axes} (one row per case), "
            f"found {spacing}; match it to the masks."
        )
    if not (np.isfinite(values) & (values > 0)).all():
        raise ValueError(f"Expected a spacing above 0, found {spacing}; give the size of a pixel.")
    return np.broadcast_to(values, (cases, axes))


def affine_spacing(images: Sequence[Tensor]) -> list[list[float]]:
    """Read the spacing of each image (K, *S) from its affine, which resizing transforms keep true.

    Returns:
        One list per image, one number per axis (width, height, as MONAI reads): millimetres for NIfTI, pixels of the
        stored picture otherwise. Of a tilted stack these are distances along its axes, which surface distances take
        for perpendicular.

    Raises:
        ValueError: if an image carries no affine.
    """
    rows = []
    for image in images:
        if not isinstance(image, MetaTensor):
            raise ValueError(
                f"Expected images that carry an affine, found a {type(image).__name__}; "
                "read them with LoadImaged, or give the spacing as a number."
            )
        affine = torch.as_tensor(image.affine)  # whose columns are the steps from voxel to voxel, along whatever axes
        rows.append(affine[:-1, : image.ndim - 1].norm(dim=0).tolist())
    return rows
