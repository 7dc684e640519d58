"""What must be in a DICOM file for its pixels to be read."""

from __future__ import annotations

from typing import Any

from monai_sfda.reading.stored import Refused

__all__ = ["FLOATS", "LABEL_MAPS", "complete_file_meta", "require_elements", "require_pydicom"]

NEEDED = (
    "Rows",
    "Columns",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "BitsAllocated",
    "BitsStored",
    "PixelRepresentation",
)
PALETTE = [
    f"{colour}PaletteColorLookupTable{part}" for colour in ("Red", "Green", "Blue") for part in ("Descriptor", "Data")
]
SEGMENTED = ("PaletteColorLookupTableUID", "SegmentedRedPaletteColorLookupTableData")
GREYS = ("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR")
COLOURS = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT")
OTHERS = ("HSV", "ARGB", "CMYK", "YBR_PARTIAL_422", "YBR_PARTIAL_420", "XYB")  # to be quoted, as a patient is not
LABEL_MAPS = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")  # Segmentation, binary and as labels
FLOATS = ("FloatPixelData", "DoubleFloatPixelData")


def require_pydicom(name: str) -> None:
    """Refuse to read a DICOM file if pydicom is not installed."""
    try:
        import pydicom  # noqa: F401
    except ImportError as error:
        remedy = "install it with: pip install pydicom"
        raise ImportError(f"Expected pydicom to read the DICOM file {name}, found it missing; {remedy}.") from error


def require_elements(data: Any, name: str) -> None:
    """Refuse a file that is no image, or lacks elements that define its pixels; the error names them."""
    from pydicom.datadict import dictionary_description
    from pydicom.tag import Tag

    if data.get("SOPClassUID") in LABEL_MAPS:
        raise Refused(
            f"Expected a photograph in {name}, found a DICOM Segmentation; keep it outside the folder of the images."
        )
    complete_file_meta(data)
    if "PixelData" not in data:
        _refuse_cut(data, name)
        found = "floating-point pixels" if any(element in data for element in FLOATS) else "no pixels"
        raise Refused(f"Expected one DICOM image in {name}, found {found}; export single photographs.")
    if data["PixelData"].is_undefined_length and not data.file_meta.TransferSyntaxUID.is_encapsulated:
        raise Refused(
            f"Expected in the DICOM file {name} the Transfer Syntax UID (0002,0010) of its compressed pixels, found "
            "none or that of others; export it again."
        )
    if data.file_meta.TransferSyntaxUID.is_encapsulated:
        data.setdefault("PlanarConfiguration", 0)  # which says nothing of compressed pixels, but pydicom wants it
    colours = (data.get("SamplesPerPixel") or 1) > 1
    needed = [*NEEDED, "PlanarConfiguration"] if colours else list(NEEDED)
    if data.get("PhotometricInterpretation") == "PALETTE COLOR" and not any(name in data for name in SEGMENTED):
        needed += PALETTE
    missing = [keyword for keyword in needed if data.get(keyword) in (None, "")]
    if missing:
        names = ", ".join(f"{dictionary_description(key)} {Tag(key)}" for key in missing)
        raise Refused(
            f"Expected in the DICOM file {name} the elements that describe its pixels, found no {names}; "
            "export it again."
        )
    kind, samples = data.PhotometricInterpretation, data.SamplesPerPixel
    if (kind, samples) not in {*((grey, 1) for grey in GREYS), *((colour, 3) for colour in COLOURS)}:
        found = f"the kind {kind}" if kind in (*GREYS, *COLOURS, *OTHERS) else "an unknown kind"
        raise Refused(
            f"Expected grey or RGB pixels in {name}, found {samples} samples per pixel of {found}; export it as RGB."
        )
    frames = int(data.get("NumberOfFrames") or 1)
    if frames != 1:
        raise Refused(f"Expected one DICOM image in {name}, found {frames} frames; export single photographs.")


def _refuse_cut(data: Any, name: str) -> None:
    """Refuse a file of a class that has pixels, of which there are none."""
    from pydicom.uid import UID

    kinds = [data.get("SOPClassUID"), data.file_meta.get("MediaStorageSOPClassUID")]
    image = any(UID(kind).name.endswith("Image Storage") for kind in kinds if kind)
    if image and not any(element in data for element in FLOATS):
        raise Refused(
            f"Expected one DICOM image in {name}, found no pixels, as in a file cut short; export or copy it again."
        )


def complete_file_meta(data: Any) -> None:
    """The transfer syntax of a file that names none, from how its elements are written."""
    from pydicom import uid
    from pydicom.dataset import FileMetaDataset

    if not hasattr(data, "file_meta"):
        data.file_meta = FileMetaDataset()
    if not data.file_meta.get("TransferSyntaxUID"):
        implicit, little = data.original_encoding
        explicit = uid.ExplicitVRLittleEndian if little else uid.ExplicitVRBigEndian
        data.file_meta.TransferSyntaxUID = uid.ImplicitVRLittleEndian if implicit else explicit
