"""Predicted label maps as DICOM Segmentation objects, which belong to the study of their image."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from monai_sfda.findings import Findings
from monai_sfda.imageio.readable_header import readable_header
from monai_sfda.overrides import read_json
from monai_sfda.prediction.convert_masks import Item, Unsuited, convert_masks
from monai_sfda.prediction.geometry import structure_masks
from monai_sfda.prediction.no_findings import NO_FINDINGS
from monai_sfda.prediction.segment_codes import describe_segments, one_line
from monai_sfda.reading.dicom_header import dicom_header
from monai_sfda.reading.kind import sniff

__all__ = ["dicom_seg", "write_dicom_seg"]

IDENTITY = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID")
PLACE = ("FrameOfReferenceUID", "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness")
CLASSES = "1.2.840.10008.5.1.4.1.1."
PHOTOGRAPHS = (CLASSES + "7.", CLASSES + "77.")  # captures with frames, visible light: they have no place in a patient
PATIENT = ("PatientID", "PatientName", "PatientBirthDate", "PatientSex")
STUDY = ("AccessionNumber", "StudyID", "StudyDate", "StudyTime", "ReferringPhysicianName")
SERIES_NUMBER = 1000  # beyond those that cameras give


def write_dicom_seg(
    folder: Path,
    rows: Iterable[Mapping[str, Any]],
    images: Mapping[str, Item],
    classes: Mapping[int, str],
    findings: Findings = NO_FINDINGS,
    *,
    model: tuple[str, str],
) -> int:
    """Write ``folder/dicom_seg/<path of the mask>.dcm`` of every row with a DICOM image, see `convert_masks`.

    Args:
        folder: output of a prediction, with its ``masks``, and ``masks_of.json``, which tells the weights.
        rows: with ``file`` and ``mask``.
        images: file -> its item, with the path of the ``image``.
        classes: id -> name, without background.
        findings: what the organ adds.
        model: name and version of the bundle.

    Returns:
        How many files there are.
    """
    record = folder / "masks_of.json"
    weights = read_json(record).get("weights", "unknown") if record.exists() else "unknown"
    convert = partial(dicom_seg, classes=classes, findings=findings, model=model, weights=weights)
    return convert_masks(folder, "dicom_seg", ".dcm", rows, images, convert)


def dicom_seg(
    image: Path,
    ids: np.ndarray,
    *,
    classes: Mapping[int, str],
    findings: Findings = NO_FINDINGS,
    model: tuple[str, str],
    weights: str,
) -> bytes:
    """A DICOM Segmentation of one label map: BINARY, one segment and frame per structure, pixel for pixel.

    Patient and study are those of the image. The UIDs follow from image, bundle, weights and mask: the same result has
    the same identity.

    Args:
        image: path of a single-frame DICOM image.
        ids: (H, W) uint8, class of each pixel.
        classes: id -> name.
        findings: what the organ adds; the segment of a structure holds what lies inside it as well.
        model: name and version of the bundle.
        weights: what tells the networks of a bundle from one another, such as a checksum.

    Raises:
        Unsuited: if the image is not DICOM or names no study.
    """
    from highdicom.seg import Segmentation
    from pydicom.uid import generate_uid

    source = _source(image)
    masks = structure_masks(ids, classes, findings.inside)
    series = [str(source.SeriesInstanceUID), *model, weights]
    refers_to = source.SOPClassUID
    if refers_to.startswith(PHOTOGRAPHS) or not all(source.get(name) for name in PLACE):
        _lay_flat(source)
    segmentation = Segmentation(
        [source],
        np.stack(list(masks.values()), axis=-1)[None].astype(np.uint8),
        "BINARY",
        describe_segments(classes, findings.codes, model=model, weights=weights),
        series_instance_uid=generate_uid(entropy_srcs=series),
        series_number=SERIES_NUMBER,
        sop_instance_uid=generate_uid(entropy_srcs=[str(source.SOPInstanceUID), *series, ids.tobytes().hex()]),
        instance_number=max(1, int(source.get("InstanceNumber") or 1)),
        manufacturer="monai-sfda",
        manufacturer_model_name="monai-sfda",
        software_versions=version("monai-sfda"),
        device_serial_number="none",
        content_label="PREDICTION",
        series_description=one_line(model[0]),
        omit_empty_frames=False,  # so that every structure has its frame
    )
    for element in segmentation.iterall():
        if element.keyword == "ReferencedSOPClassUID":
            element.value = refers_to
    segmentation.ContentCreatorName = None  # which has to be there, and may be empty
    content = io.BytesIO()
    segmentation.save_as(content)
    return content.getvalue()


def _source(path: Path) -> Any:
    """The header of a DICOM image with all that a segmentation repeats of it."""
    if sniff(path) != "dicom":
        raise Unsuited(
            "Expected a DICOM image for a DICOM Segmentation, found another kind; take its mask as nifti or png."
        )
    source = dicom_header(path)
    missing = [name for name in IDENTITY if not source.get(name)]
    if missing:
        raise Unsuited(f"Expected a DICOM image of a study, found no {', '.join(missing)}; export it again.")
    readable_header(source, (*PATIENT, *STUDY))
    return source


def _lay_flat(source: Any) -> None:
    """Make highdicom take a header for one of a photograph that has no place in the patient.

    It would look for that place in the functional groups of all classes that may have several frames; an ophthalmic
    photograph is of such a class and has none. The size of a pixel is left to the image: highdicom reads none back
    without a slice thickness.
    """
    from pydicom.uid import VLPhotographicImageStorage

    source.SOPClassUID = VLPhotographicImageStorage
    for name in ("FrameOfReferenceUID", "NumberOfFrames", "PixelSpacing"):
        if name in source:
            delattr(source, name)
