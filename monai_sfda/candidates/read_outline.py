"""One outline of one image, whatever kind of file holds it: the single place that knows of kinds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from monai_sfda.candidates.structures import Structures
from monai_sfda.data import SameSize
from monai_sfda.imageio import MaskReader, PhotoReader
from monai_sfda.reading.dicom_needed import require_pydicom
from monai_sfda.reading.kind import sniff
from monai_sfda.transforms.nested import refuse_unknown_ids
from monai_sfda.volumes import read_volume
from monai_sfda.volumes.labels import label_on, voxels_at
from monai_sfda.volumes.slices import frames_of

__all__ = ["read_outline"]


def read_outline(path: Path, image: Path, structures: Structures) -> np.ndarray:
    """Read an outline at the size of its image, or on the voxels of its volume.

    Args:
        path: a label map as picture or NIfTI, or a DICOM Segmentation whose segments are named as the structures or as
            the classes of the bundle. That of a volume is of the series behind the image: its frames are put where they
            lie in the patient.
        image: that it is of.
        structures: of the bundle.

    Returns:
        (K, H, W) or (K, X, Y, Z) bool.

    Raises:
        ValueError: if it does not fit.
        OSError: if it cannot be read.
        ImportError: for DICOM, if pydicom is not installed.
    """
    if sniff(path) == "dicom":
        return _read_segments(path, image, structures)
    if structures.volumes:
        return _on_voxels(path, image, structures)
    reader = MaskReader(ids=structures.known_ids())
    SameSize({"image": PhotoReader(), "label": reader})({"image": image, "label": path})
    return structures.channels(reader.decode(path))


def _on_voxels(path: Path, image: Path, structures: Structures) -> np.ndarray:
    if sniff(path) != "nifti":
        raise ValueError(
            "Expected the outline of a volume as NIfTI or DICOM Segmentation, found another kind of file; export it as "
            "NIfTI."
        )
    ids = label_on(read_volume(image), read_volume(path, ids=True))
    refuse_unknown_ids(ids, structures.known_ids(), path.name)
    return structures.channels(ids)


def _read_segments(path: Path, image: Path, structures: Structures) -> np.ndarray:
    require_pydicom(path.name)
    read = _segments_on_voxels if structures.volumes else _segments
    try:
        masks = read(path, image, structures)
    except (OSError, ValueError):
        raise
    except Exception as error:  # as varied as damaged files
        raise ValueError(
            f"Expected a complete DICOM Segmentation, found a damaged one ({error}); export it again."
        ) from error
    if structures.head == "softmax" and (masks.sum(0) > 1).any():
        raise ValueError(
            f"Expected segments that exclude each other, as {', '.join(structures.names)} do in this bundle, found "
            "some that overlap; draw each pixel as one of them."
        )
    return masks


def _segments_on_voxels(path: Path, image: Path, structures: Structures) -> np.ndarray:
    content = _segmentation(path)
    volume = read_volume(image)
    masks = np.zeros((len(structures.names), *volume.values.shape), bool)
    frames = frames_of(content, path)
    if not volume.placed or any(None in (frame.position, frame.axes, frame.spacing) for frame in frames):
        raise ValueError(
            "Expected an outline and a volume with a place in the patient, found one without; save the outline as "
            "NIfTI on the voxels of the volume."
        )
    for channel, pixels, frame in zip(*_channels(content, structures), frames, strict=True):
        voxels = voxels_at(np.argwhere(pixels), frame, volume)
        masks[(channel, *voxels.T)] = True
    return _outer_too(masks, structures)


def _segmentation(path: Path) -> Any:
    from pydicom import dcmread
    from pydicom.uid import SegmentationStorage

    content = dcmread(path)
    if content.get("SOPClassUID") != SegmentationStorage or content.get("SegmentationType") != "BINARY":
        raise ValueError("Expected a binary DICOM Segmentation as outline, found other DICOM; export it as such.")
    return content


def _channels(content: Any, structures: Structures) -> tuple[list[int], np.ndarray]:
    """Of each frame the channel of its segment, and its pixels (n, H, W) bool."""
    of_segment = {one.SegmentNumber: _channel(str(one.SegmentLabel), structures) for one in content.SegmentSequence}
    abouts = content.PerFrameFunctionalGroupsSequence
    channels = [of_segment[about.SegmentIdentificationSequence[0].ReferencedSegmentNumber] for about in abouts]
    return channels, np.reshape(content.pixel_array, (-1, content.Rows, content.Columns)) > 0


def _outer_too(masks: np.ndarray, structures: Structures) -> np.ndarray:
    """What lies in a nested structure lies in those around it."""
    return np.logical_or.accumulate(masks[::-1])[::-1] if structures.nested else masks


def _segments(path: Path, image: Path, structures: Structures) -> np.ndarray:
    from pydicom import dcmread

    content = _segmentation(path)
    width, height = PhotoReader().decode(image).size
    if (content.Columns, content.Rows) != (width, height):
        raise ValueError(
            f"Expected files of one size, found image {width}x{height}, label {content.Columns}x{content.Rows}; save "
            "the mask at the size of the image."
        )
    own = dcmread(image, stop_before_pixels=True).SOPInstanceUID if sniff(image) == "dicom" else None
    masks = np.zeros((len(structures.names), height, width), bool)
    abouts = content.PerFrameFunctionalGroupsSequence
    for channel, frame, about in zip(*_channels(content, structures), abouts, strict=True):
        sources = _sources(about)
        if own is not None and sources and own not in sources:
            raise ValueError("Expected an outline of this image alone, found one of another; export it again.")
        masks[channel] |= frame
    return _outer_too(masks, structures)


def _channel(label: str, structures: Structures) -> int:
    known = [
        {name.casefold() for name in pair}
        for pair in zip(structures.names, structures.classes or structures.names, strict=True)
    ]
    for place, names in enumerate(known):
        if label.strip().casefold() in names:
            return place
    raise ValueError(
        f"Expected segments named {', '.join(structures.names)}, found one named {label}; rename it, or leave it out."
    )


def _sources(frame: object) -> set[str]:
    """Identifiers of the images that a frame was derived from."""
    derived = getattr(frame, "DerivationImageSequence", ())
    return {str(one.ReferencedSOPInstanceUID) for each in derived for one in getattr(each, "SourceImageSequence", ())}
