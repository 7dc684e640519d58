"""What must be in a DICOM file for its pixels to be read."""

from __future__ import annotations

from typing import Any

from monai_sfda.reading.stored import Refused

__all__ = ["FLOATS", "require_elements"]

NEEDED = (
    "Rows",
    "Columns",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "BitsAllocated",
    "BitsStored",
    "PixelRepresentation",
)
GREYS = ("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR")
COLOURS = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT")
FLOATS = ("FloatPixelData", "DoubleFloatPixelData")


def require_elements(data: Any, name: str) -> None:
    """Refuse what is no image, or lacks elements that say what its pixels mean; each of them by its name."""
    from pydicom.datadict import dictionary_description
    from pydicom.tag import Tag

    _complete_file_meta(data)
    if "PixelData" not in data:
        found = "floating-point pixels" if any(element in data for element in FLOATS) else "no pixels"
        raise Refused(f"Expected one DICOM image in {name}, found {found}; export single photographs.")
    if data["PixelData"].is_undefined_length and not data.file_meta.TransferSyntaxUID.is_encapsulated:
        raise Refused(
            f"Expected in the DICOM file {name} the Transfer Syntax UID (0002,0010) of its compressed pixels, found "
            "none or that of others; export it again."
        )
    needed = [*NEEDED, "PlanarConfiguration"] if _planes_matter(data) else list(NEEDED)
    missing = [keyword for keyword in needed if data.get(keyword) in (None, "")]
    if missing:
        names = ", ".join(f"{dictionary_description(key)} {Tag(key)}" for key in missing)
        raise Refused(
            f"Expected in the DICOM file {name} the elements that describe its pixels, found no {names}; "
            "export it again."
        )
    kind, samples = data.PhotometricInterpretation, data.SamplesPerPixel
    if (kind, samples) not in {*((grey, 1) for grey in GREYS), *((colour, 3) for colour in COLOURS)}:
        raise Refused(
            f"Expected grey or RGB pixels in {name}, found {samples} samples per pixel of the kind {kind}; export it "
            "as RGB."
        )
    frames = int(data.get("NumberOfFrames") or 1)
    if frames != 1:
        raise Refused(f"Expected one DICOM image in {name}, found {frames} frames; export single photographs.")


def _complete_file_meta(data: Any) -> None:
    """The transfer syntax of a file that names none, from how its elements are written."""
    from pydicom import uid
    from pydicom.dataset import FileMetaDataset

    if not hasattr(data, "file_meta"):
        data.file_meta = FileMetaDataset()
    if not data.file_meta.get("TransferSyntaxUID"):
        implicit, little = data.original_encoding
        explicit = uid.ExplicitVRLittleEndian if little else uid.ExplicitVRBigEndian
        data.file_meta.TransferSyntaxUID = uid.ImplicitVRLittleEndian if implicit else explicit


def _planes_matter(data: Any) -> bool:
    return (data.get("SamplesPerPixel") or 1) > 1 and not data.file_meta.TransferSyntaxUID.is_encapsulated
