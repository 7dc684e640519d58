"""A label map on the voxels of its image."""

from __future__ import annotations

import numpy as np
from nibabel.orientations import apply_orientation, inv_ornt_aff, io_orientation, ornt_transform

from monai_sfda.reading.stored import Refused
from monai_sfda.volumes.arrange import series_affine
from monai_sfda.volumes.slices import Slice
from monai_sfda.volumes.volume import SAME_PLACE, Volume, corner_distance, size_text

__all__ = ["label_on", "voxels_at"]

ON_VOXEL = 0.1  # of a voxel that pixels of the same grid may lie apart
FRACTION = 1e-3  # that scale factors of headers leave of whole numbers


def label_on(volume: Volume, label: Volume) -> np.ndarray:
    """Class ids (X, Y, Z) uint8 on the voxels of an image.

    A label map of the same voxels whose axes have another order or direction is turned, which changes no id.

    Raises:
        ValueError: if it has other voxels than the image, or holds no class ids.
    """
    if not _same(volume, label) and label.placed and volume.placed:
        label = _turned(label, volume.affine)
    if not _same(volume, label):
        sizes = [size_text(one.values.shape) for one in (volume, label)]
        found = f"{sizes[1]} for {sizes[0]}; "
        if sizes[0] == sizes[1]:  # other software may have lost the header
            other = "places in its affine" if label.placed else f"sizes of a voxel ({size_text(label.zooms)} mm)"
            found = f"other {other}; save it with the header of its image, or "
        raise Refused(
            f"Expected a label map on the voxels of its image, found {found}resample it onto the image (nearest "
            "neighbour)."
        )
    ids = np.rint(label.values)
    if np.abs(label.values - ids).max() > FRACTION or ids.min() < 0 or ids.max() > 255:
        low, high = label.values.min(), label.values.max()
        found = "fractions" if low >= 0 and high <= 255 else "other numbers"
        raise Refused(
            f"Expected whole class ids from 0 to 255 in the label map, found {found} ({low:g} to {high:g}); save it "
            "as class ids, resampled with nearest neighbour."
        )
    return ids.astype(np.uint8)


def voxels_at(pixels: np.ndarray, frame: Slice, volume: Volume) -> np.ndarray:
    """The voxels (n, 3) of a volume that lie at pixels (n, 2: row, column) of a frame of a DICOM Segmentation.

    Raises:
        ValueError: if the pixels of the frame lie on no voxels of the volume.
    """
    to_voxel = np.linalg.inv(volume.affine) @ series_affine([frame])
    corners = np.array([(column, row, 0, 1) for row in (0, frame.size[0] - 1) for column in (0, frame.size[1] - 1)])
    rounded = np.rint(to_voxel)
    apart = np.abs((corners @ (to_voxel - rounded).T)[:, :3]).max()
    found = (np.c_[pixels[:, ::-1], np.zeros(len(pixels)), np.ones(len(pixels))] @ rounded.T)[:, :3].astype(int)
    neighbours = (np.abs(rounded[:3, :2]).sum(axis=0) == 1).all()  # a coarser pixel covers voxels that nobody names
    if not neighbours or not apart < ON_VOXEL or (found < 0).any() or (found >= volume.values.shape).any():
        raise Refused(
            "Expected an outline on the voxels of its volume, found one elsewhere; draw it on this series, or resample "
            "it onto the volume (nearest neighbour)."
        )
    return found


def _same(volume: Volume, label: Volume) -> bool:
    if volume.values.shape != label.values.shape:
        return False
    if not label.placed:
        return not _states_other_sizes(label, volume)
    if not volume.placed:
        return True
    return corner_distance(volume.affine, label.affine, volume.values.shape) < SAME_PLACE


def _states_other_sizes(label: Volume, volume: Volume) -> bool:
    """Voxels of 1 x 1 x 1 are what a header has that nobody filled in."""
    if not (label.measured and volume.measured) or (label.zooms == 1).all():
        return False
    first, second = (np.diag([*one.zooms, 1]) for one in (volume, label))
    return not corner_distance(first, second, volume.values.shape) < SAME_PLACE


def _turned(label: Volume, affine: np.ndarray) -> Volume:
    """With the axes of the file that lie nearest to those of an affine."""
    turn = ornt_transform(io_orientation(label.affine), io_orientation(affine))
    turned = apply_orientation(label.values, turn)
    return label._replace(values=turned, affine=label.affine @ inv_ornt_aff(turn, label.values.shape))
