"""The predicted label map of a DICOM series as one DICOM Segmentation object, which refers to the images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from monai_sfda.findings import Findings
from monai_sfda.prediction.convert_masks import Unsuited
from monai_sfda.prediction.dicom_seg import check_source, content_of, segmentation
from monai_sfda.prediction.geometry import structure_masks
from monai_sfda.prediction.no_findings import NO_FINDINGS
from monai_sfda.reading.dicom_header import dicom_header
from monai_sfda.reading.kind import sniff
from monai_sfda.volumes.series import series_frame
from monai_sfda.volumes.slices import Slice

__all__ = ["dicom_seg_of_series"]


def dicom_seg_of_series(
    paths: Sequence[str],
    ids: np.ndarray,
    *,
    frame: int | None = None,
    classes: Mapping[int, str],
    findings: Findings = NO_FINDINGS,
    model: tuple[str, str],
    weights: str,
) -> bytes:
    """A DICOM Segmentation of one volume: BINARY, a segment for each structure that is found, frames at the images.

    Args:
        paths: the files of the series, in any order.
        ids: (X, Y, Z) uint8, class of each voxel of `monai_sfda.volumes.read_volume`.
        frame: which volume of a series in time, from 0.
        classes: id -> name.
        findings: what the organ adds; the segment of a structure holds what lies inside it as well.
        model: name and version of the bundle.
        weights: what tells the networks of a bundle from one another, such as a checksum.

    Raises:
        Unsuited: if the images are not DICOM, name no study or no place in the patient, are not those of the mask, or
            nothing is found in them.
    """
    slices = _placed(paths, frame)
    planes = ids.transpose(2, 1, 0)
    if planes.shape != (len(slices), *slices[0].size):
        raise Unsuited("Expected the series of the mask, found one of another size; predict it again.")
    found = {number: name for number, name in classes.items() if (ids == number).any()}
    found |= {number: classes[number] for number, inside in findings.inside.items() if found.keys() & set(inside)}
    found = {number: name for number, name in classes.items() if number in found}
    if not found:
        raise Unsuited("Expected a structure in the mask, found none; there is nothing to write.")
    inside = {number: others for number, others in findings.inside.items() if number in found}
    masks = np.stack(list(structure_masks(planes, found, inside).values()), axis=-1)
    sources, places = _sources(slices)
    made = segmentation(
        sources,
        masks,
        found,
        findings,
        model=model,
        weights=weights,
        omit_empty_frames=True,
        plane_positions=places,
    )
    return content_of(made)


def _placed(paths: Sequence[str], frame: int | None) -> list[Slice]:
    if any(sniff(path) != "dicom" for path in paths):
        raise Unsuited("Expected a DICOM series for a DICOM Segmentation, found other files; take the mask as nifti.")
    slices = series_frame(paths, frame)
    if slices[0].position is None or slices[0].spacing is None or slices[0].reference is None:
        raise Unsuited(
            "Expected images with a place in the patient (ImagePositionPatient, PixelSpacing, FrameOfReferenceUID), "
            "found none; take the mask as nifti."
        )
    series = {one.series for one in slices}
    if len(series) > 1:
        raise Unsuited(
            f"Expected the images of one series for a DICOM Segmentation, found a stack of {len(series)} series; take "
            "the mask as nifti."
        )
    return slices


def _sources(slices: Sequence[Slice]) -> tuple[list[Any], list[Any] | None]:
    """Headers, and where the frames of the volume lie among those of one file, which may hold more than one volume."""
    from highdicom import PlanePositionSequence

    if slices[0].frame is None:
        return [check_source(dicom_header(one.path)) for one in slices], None
    places = [PlanePositionSequence("PATIENT", image_position=one.position or ()) for one in slices]
    return [check_source(dicom_header(slices[0].path))], places
