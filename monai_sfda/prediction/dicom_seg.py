"""Predicted label maps as DICOM Segmentation objects, which belong to the study of their image."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from hashlib import sha256
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

__all__ = ["check_source", "content_of", "dicom_seg", "segmentation", "write_dicom_seg"]

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
    if sniff(image) != "dicom":
        raise Unsuited(
            "Expected a DICOM image for a DICOM Segmentation, found another kind; take its mask as nifti or png."
        )
    source = check_source(dicom_header(image))
    masks = structure_masks(ids, classes, findings.inside)
    refers_to = source.SOPClassUID
    if refers_to.startswith(PHOTOGRAPHS) or not all(source.get(name) for name in PLACE):
        _lay_flat(source)
    made = segmentation(
        [source],
        np.stack(list(masks.values()), axis=-1)[None],
        classes,
        findings,
        model=model,
        weights=weights,
        omit_empty_frames=False,  # so that every structure has its frame
    )
    for element in made.iterall():
        if element.keyword == "ReferencedSOPClassUID":
            element.value = refers_to
    return content_of(made)


def check_source(header: Any) -> Any:
    """The header of a DICOM image with all that a segmentation repeats of it.

    Raises:
        Unsuited: if it names no study.
    """
    missing = [name for name in IDENTITY if not header.get(name)]
    if missing:
        raise Unsuited(f"Expected a DICOM image of a study, found no {', '.join(missing)}; export it again.")
    readable_header(header, (*PATIENT, *STUDY))
    return header


def segmentation(
    sources: Sequence[Any],
    masks: np.ndarray,
    classes: Mapping[int, str],
    findings: Findings,
    *,
    model: tuple[str, str],
    weights: str,
    omit_empty_frames: bool,
    plane_positions: Sequence[Any] | None = None,
) -> Any:
    """A `highdicom.seg.Segmentation` of images, whose UIDs follow from these, the bundle, the weights and the masks.

    Args:
        sources: headers of the images, or that of one file of several frames.
        masks: (frames, H, W, structures) bool.
        classes: id -> name, of each structure.
        findings: what the organ adds.
        model: name and version of the bundle.
        weights: what tells the networks of a bundle from one another, such as a checksum.
        omit_empty_frames: leave out frames in which a structure is not found.
        plane_positions: of the masks, as highdicom has them; None takes those of the images.
    """
    from highdicom.seg import Segmentation
    from pydicom.uid import generate_uid

    first = sources[0]
    series = [str(first.SeriesInstanceUID), *model, weights]
    made_of = [str(source.SOPInstanceUID) for source in sources]
    made = Segmentation(
        sources,
        masks.astype(np.uint8),
        "BINARY",
        describe_segments(classes, findings.codes, model=model, weights=weights),
        series_instance_uid=generate_uid(entropy_srcs=series),
        series_number=SERIES_NUMBER,
        sop_instance_uid=generate_uid(entropy_srcs=[*made_of, *series, sha256(masks.tobytes()).hexdigest()]),
        instance_number=max(1, int(first.get("InstanceNumber") or 1)),
        manufacturer="monai-sfda",
        manufacturer_model_name="monai-sfda",
        software_versions=version("monai-sfda"),
        device_serial_number="none",
        content_label="PREDICTION",
        series_description=one_line(model[0]),
        omit_empty_frames=omit_empty_frames,
        plane_positions=plane_positions,
    )
    made.ContentCreatorName = None  # which has to be there, and may be empty
    return made


def content_of(made: Any) -> bytes:
    """The file of a DICOM object."""
    content = io.BytesIO()
    made.save_as(content)
    return content.getvalue()


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
