"""An image and its label as the files of a download hold them, and what has to be put right in them.

Shapes: X, Y and Z are the axes of the file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from monai_sfda.datasets.files import first_of

__all__ = ["exchange_ids", "on_one_grid", "read_pair", "size_of", "with_stated_spacing"]


def read_pair(image_path: Path, label_path: Path, ids: Mapping[int, int]) -> tuple[nib.Nifti1Image, np.ndarray]:
    """An image (X, Y, Z) and the class ids (X, Y, Z) uint8 of its label.

    Args:
        ids: value in the label -> our class id; 0 stays 0.

    Raises:
        ValueError: if they do not lie on one grid, or the label has other values.
        OSError: if one of them cannot be read.
    """
    image: Any = nib.load(image_path)
    label: Any = nib.load(label_path)
    return image, exchange_ids(on_one_grid(image, label), ids)


def on_one_grid(image: nib.Nifti1Image, label: nib.Nifti1Image) -> np.ndarray:
    """The values of ``label`` (X, Y, Z).

    Raises:
        ValueError: if it does not lie on the voxels of ``image``.
    """
    if image.shape != label.shape or not np.allclose(image.affine, label.affine, atol=1e-3):
        where = (
            f"{size_of(label.shape)} on {size_of(image.shape)}" if image.shape != label.shape else "another position"
        )
        raise ValueError(f"Expected a label on the voxels of its image, found {where}; download both again.")
    return np.asanyarray(label.dataobj)


def exchange_ids(values: np.ndarray, ids: Mapping[int, int]) -> np.ndarray:
    """Class ids uint8 from the values of a label.

    Raises:
        ValueError: naming values that ``ids`` does not have; 0 is background.
    """
    unknown = set(np.unique(values).tolist()) - {0, *ids}
    if unknown:
        found = first_of([f"{value:g}" for value in unknown])
        raise ValueError(
            f"Expected the values 0, {', '.join(map(str, sorted(ids)))} in the label, found {found}; use the file of "
            "the official download, not a resampled or converted copy."
        )
    ours = np.zeros(values.shape, np.uint8)
    for theirs, mine in ids.items():
        ours[values == theirs] = mine
    return ours


def with_stated_spacing(image: nib.Nifti1Image) -> nib.Nifti1Image:
    """The image with an affine that has the spacing of its header; axes and origin stay.

    For files whose ``pixdim`` is right and whose affine counts voxels, such as those of ACDC.
    """
    affine = image.affine.copy()
    affine[:3, :3] *= np.asarray(image.header.get_zooms()[:3]) / np.linalg.norm(affine[:3, :3], axis=0)
    repaired = nib.Nifti1Image(np.asanyarray(image.dataobj), affine, image.header)
    repaired.set_qform(affine, code=int(image.header["sform_code"]))
    return repaired


def size_of(shape: Sequence[int]) -> str:
    """A shape in a message."""
    return " x ".join(map(str, shape))
