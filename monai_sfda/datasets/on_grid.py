"""A label that was drawn on other voxels than those of its image."""

from __future__ import annotations

import nibabel as nib
import numpy as np
from scipy.ndimage import affine_transform

__all__ = ["label_on_grid"]


def label_on_grid(image: nib.Nifti1Image, label: nib.Nifti1Image) -> np.ndarray:
    """The values of ``label`` (X, Y, Z) at the voxels of ``image`` (X, Y, Z), by position: the nearest voxel counts.

    Axes in another order or direction, fewer slices and another spacing are followed; what lies outside of the label is
    0.

    Raises:
        ValueError: if labelled voxels lie outside of the image, so that it is the label of another one.
    """
    values = np.asanyarray(label.dataobj)
    to_image = np.linalg.inv(image.affine) @ label.affine
    places = np.argwhere(values > 0) @ to_image[:3, :3].T + to_image[:3, 3]
    outside = ((places < -1) | (places > image.shape)).any(1)
    if outside.any():
        raise ValueError(
            f"Expected the label inside of its image, found {outside.sum()} of {len(places)} labelled voxels outside; "
            "take image and label of one patient and of one release."
        )
    if values.shape == image.shape and np.allclose(image.affine, label.affine, atol=1e-3):
        return values
    to_label = np.linalg.inv(to_image)
    return affine_transform(values, to_label[:3, :3], to_label[:3, 3], output_shape=image.shape, order=0)
