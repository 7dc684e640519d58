"""Volumes of formats that count towards the left, the back and the head, as DICOM and ITK do."""

from __future__ import annotations

from collections.abc import Sequence

import nibabel as nib
import numpy as np

__all__ = ["RAS_OF_LPS", "volume_of"]

RAS_OF_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
"""From LPS to RAS, as NIfTI counts, and back."""


def volume_of(
    content: bytes, dtype: np.dtype, sizes: Sequence[int], steps: np.ndarray, origin: Sequence[float], name: str
) -> nib.Nifti1Image:
    """A volume (X, Y, Z) with its values and its place.

    Args:
        content: the voxels, the first axis fastest.
        dtype: of a voxel, with its byte order.
        sizes: number of voxels along each of the three axes.
        steps: (3, 3) mm in LPS; row n is the way from a voxel to the next along axis n.
        origin: mm in LPS of the centre of the first voxel.
        name: of the file, for messages.

    Raises:
        ValueError: if there are fewer or more voxels, or the axes do not span a volume.
    """
    expected = int(np.prod(sizes)) * dtype.itemsize
    if len(sizes) != 3 or len(content) != expected:
        raise ValueError(
            f"Expected {expected} bytes of voxels in {name}, found {len(content)}; the file was not unpacked to its "
            "end: unpack or download it again."
        )
    if steps.shape != (3, 3) or not abs(np.linalg.det(steps)) > 0:
        raise ValueError(f"Expected three directions in the header of {name}, found others; download it again.")
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = steps.T, origin
    values = np.frombuffer(content, dtype).reshape(tuple(sizes), order="F")
    image = nib.Nifti1Image(values.astype(dtype.newbyteorder("=")), RAS_OF_LPS @ affine)
    image.set_qform(image.affine, code=1)
    image.set_sform(image.affine, code=1)
    image.header.set_xyzt_units("mm")
    return image
