"""Lay a served mask on the voxels of its volume exactly."""

from __future__ import annotations

import os
from typing import Any

import nibabel
import numpy as np

from monai_sfda.mask_file import is_volume
from monai_sfda.volumes import label_map_like

__all__ = ["lay_on_voxels"]

NIFTI = (".nii", ".nii.gz")


def lay_on_voxels(mask: str | os.PathLike[str], image: str | os.PathLike[str]) -> None:
    """Give a mask ``.nii.gz`` the position, codes and units of its NIfTI image in place of its own; ids stay.

    MONAI Label writes with ITK, which turns axes that are not at right angles, and calls every position known. A mask
    or an image of another kind stays as it is.

    Args:
        mask: file to write anew; its voxels are those of the image, in the same order.
        image: file that was segmented.
    """
    if is_volume(mask) and os.fspath(image).lower().endswith(NIFTI):
        served: Any = nibabel.load(mask)
        ids = np.asarray(served.dataobj).astype(np.uint8)
        nibabel.save(label_map_like(nibabel.load(image), ids), mask)
