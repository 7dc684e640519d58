"""Save label maps of volumes, completely or not at all."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from typing import Any

import nibabel
import numpy as np
from monai.data import MetaTensor
from torch import Tensor

from monai_sfda.files import brief_hash
from monai_sfda.mask_file import nifti_comment
from monai_sfda.reading.kind import sniff
from monai_sfda.transforms import SaveMaskd

__all__ = ["SaveVolumeMaskd", "label_map_like", "new_label_map"]

# Of a NIfTI header; its texts may name a patient.
CODES = ("pixdim", "xyzt_units", "qform_code", "sform_code")
PLACE = ("quatern_b", "quatern_c", "quatern_d", "qoffset_x", "qoffset_y", "qoffset_z", "srow_x", "srow_y", "srow_z")

LONGEST_OF_VERSION_1 = 32767  # voxels of an axis


class SaveVolumeMaskd(SaveMaskd):
    """Save a label map (1, X, Y, Z) as compressed NIfTI on the voxels of its file, as a `SaveMaskd` saves a picture's.

    Size, axes and position are those of the file, with the codes and units of its header if it is NIfTI; nothing else
    is copied. Row and image stand in a comment of the header, see `monai_sfda.mask_file`.
    """

    suffix = ".nii.gz"

    def content(self, mask: Tensor, row: Mapping[str, Any] | None) -> bytes:
        """The file of a label map (1, X, Y, Z), which knows its volume as `ReadVolumed` gives it, with its row."""
        assert isinstance(mask, MetaTensor)
        ids, about = mask.numpy()[0].astype(np.uint8), mask.meta
        source = about["filename_or_obj"]
        if sniff(source) == "nifti":
            label_map = label_map_like(nibabel.load(source), ids)
        else:
            label_map = new_label_map(ids, mask.affine.numpy())
            label_map.header.set_xyzt_units("mm" if about.get("measured") else None)
        label_map.header.extensions.append(nifti_comment(row, brief_hash(about["files"]), ids))
        return gzip.compress(label_map.to_bytes(), compresslevel=1, mtime=0)  # label maps are small at any level


def new_label_map(ids: np.ndarray, affine: np.ndarray) -> Any:
    """A NIfTI image of ids uint8; of version 2 where version 1 cannot count the voxels of an axis."""
    kind = nibabel.Nifti1Image if max(ids.shape) <= LONGEST_OF_VERSION_1 else nibabel.Nifti2Image
    return kind(ids, affine)


def label_map_like(image: Any, ids: np.ndarray) -> Any:
    """A NIfTI image of ids uint8 on the first three axes of another one, wherever that lies; no text is copied."""
    kind = nibabel.Nifti2Image if isinstance(image, nibabel.Nifti2Image) else nibabel.Nifti1Image
    header = kind.header_class()
    for field in (*CODES, *PLACE):
        header[field] = image.header[field]
    header.set_data_dtype(np.uint8)
    return kind(ids.reshape(image.shape[:3]), image.affine, header)
