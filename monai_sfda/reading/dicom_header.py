"""The header of a DICOM file."""

from __future__ import annotations

import logging
import math
import warnings
from pathlib import Path
from typing import Any

from monai_sfda.reading.kind import HEAD, is_dicom

__all__ = ["GROUPS", "dicom_header", "dicom_spacing", "open_dicom"]

GROUPS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
MACROS = (
    "PixelMeasuresSequence",
    "PixelValueTransformationSequence",
    "FrameVOILUTSequence",
    "FrameAnatomySequence",
    "PlanePositionSequence",
    "PlaneOrientationSequence",
)
LOOKS = ("WindowCenter", "WindowWidth", "VOILUTFunction", "VOILUTSequence")


def dicom_header(path: str | Path, *, tags: list[str] | None = None) -> Any:
    """Read the header, as a `pydicom.Dataset` without pixels.

    From then on pydicom and highdicom warn of nothing, in logs or on the screen: they quote the value that they warn
    of, and with it a patient.

    Args:
        path: of the file.
        tags: keywords of the elements to read; all by default. What an enhanced image says of its (first) frame, for
            all frames or for this one, counts as said of the image.

    Raises:
        pydicom.errors.InvalidDicomError: if the file is not DICOM.
    """
    named = None if tags is None else [*tags, *GROUPS]
    data = open_dicom(path, stop_before_pixels=True, specific_tags=named)
    if tags is not None:
        for group in GROUPS:
            data.pop(group, None)
    return data


def open_dicom(path: str | Path, **options: Any) -> Any:
    """`pydicom.dcmread`, also of files without a preamble, with what the functional groups say at the top."""
    from pydicom import dcmread

    for library in ("pydicom", "highdicom"):
        if logging.getLogger(library).level != logging.CRITICAL:  # to set it takes longer than to read a header
            logging.getLogger(library).setLevel(logging.CRITICAL)
        warnings.filterwarnings("ignore", module=rf"{library}(\.|$)")
    with open(path, "rb") as file:
        known = is_dicom(file.read(HEAD))
    data = dcmread(path, force=known, **options)
    for group in GROUPS:
        for macro in MACROS:
            _lift(data, (data.get(group) or [{}])[0].get(macro))
    return data


def dicom_spacing(data: Any) -> tuple[tuple[float, float] | None, str | None]:
    """Height and width of a pixel in mm, of a header as `dicom_header` gives it; and where they are from."""
    try:
        lengths = [float(value) for value in data.get("PixelSpacing") or ()]
    except (TypeError, ValueError):  # one number, or none
        return None, None
    if len(lengths) != 2 or not all(0 < length < math.inf for length in lengths):
        return None, None
    return (lengths[0], lengths[1]), "DICOM Pixel Spacing"


def _lift(data: Any, sequence: Any) -> None:
    if not sequence:
        return
    if any(name in sequence[0] for name in LOOKS):  # instead of those of the whole
        for name in LOOKS:
            data.pop(name, None)
    for element in sequence[0]:
        data[element.tag] = element
