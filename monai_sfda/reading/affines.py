"""Check that the NIfTI files of a pair share one voxel grid, because they are compared voxel by voxel."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from monai_sfda.reading.kind import sniff
from monai_sfda.reading.stored import Refused

__all__ = ["refuse_other_affines"]

TOLERANCE = 0.5  # of a voxel


def refuse_other_affines(paths: Sequence[str | Path]) -> None:
    """Compare the affines of those files that are NIfTI and state a position; other files have none.

    Raises:
        ValueError: if the corners of one are half a voxel or more from those of another.
    """
    nifti = [path for path in paths if sniff(path) == "nifti"]
    if len(nifti) < 2:
        return
    import nibabel

    images: list[Any] = [nibabel.load(path) for path in nifti]
    placed = [image for image in images if image.header["sform_code"] > 0 or image.header["qform_code"] > 0]
    for other in placed[1:]:
        if _distance(placed[0], other) >= TOLERANCE:
            first, second = ("".join(nibabel.aff2axcodes(image.affine)) for image in (placed[0], other))
            raise Refused(
                f"Expected files on the same voxel grid, found other positions or axes in their affines "
                f"({first} and {second}); resample the mask onto its image, or save it with the affine of the image."
            )


def _distance(first: Any, second: Any) -> float:
    """Largest distance of the same corner in both, in voxels of the first."""
    width, height = (n - 1 for n in first.shape[:2])
    corners = np.array([[0, 0, 0, 1], [width, 0, 0, 1], [0, height, 0, 1]]).T
    distances = np.linalg.norm(((first.affine - second.affine) @ corners)[:3], axis=0)
    size = min(np.linalg.norm(first.affine[:3, :2], axis=0))
    return float(distances.max() / max(size, np.finfo(float).tiny))
