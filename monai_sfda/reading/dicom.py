"""DICOM images of one frame, by pydicom."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from monai_sfda.reading.dicom_bits import said_depth
from monai_sfda.reading.dicom_frame import frame_pixels
from monai_sfda.reading.dicom_greys import shown_greys
from monai_sfda.reading.dicom_header import dicom_spacing, open_dicom
from monai_sfda.reading.dicom_needed import FLOATS, require_elements, require_pydicom
from monai_sfda.reading.dicom_palette import palette_colours
from monai_sfda.reading.disk import is_of_the_disk
from monai_sfda.reading.kind import other_content
from monai_sfda.reading.stored import Refused, Stored, refuse_huge

__all__ = ["read_dicom"]

PIXELS = ("PixelData", *FLOATS)


def read_dicom(path: str | Path) -> Stored:
    """Read a DICOM image of one frame, as viewers show it: greys through their tables and windows.

    Raises:
        ImportError: if pydicom is not installed.
        ValueError: if the file is no DICOM image, has several frames, or lacks what says how to read it.
    """
    name = Path(path).name
    require_pydicom(name)
    from pydicom import errors

    how = ""
    try:
        data = open_dicom(path)
        if not any(element in data for element in (*PIXELS, "SOPClassUID", "Rows")):
            raise other_content(path, "DICOM image")
        require_elements(data, name)
        how = f", stored as {data.file_meta.TransferSyntaxUID.name}"
        refuse_huge((data.Rows, data.Columns), path)
        stored = _stored(data, frame_pixels(data, name), name)
        stored.spacing, stored.spacing_from = dicom_spacing(data)
        return stored
    except errors.InvalidDicomError as error:
        raise other_content(path, "DICOM image") from error
    except (ImportError, Refused):
        raise
    except Exception as error:
        if is_of_the_disk(error):
            raise
        # What pydicom says may quote the file, and with it a patient.
        remedy = ", without compression" if _compressed(data if how else None) else ""
        raise Refused(
            f"Expected a DICOM image in {name}, found one that cannot be decoded ({type(error).__name__}{how}); "
            f"export it again{remedy}."
        ) from None


def _compressed(data: Any) -> bool:
    return data is not None and data.file_meta.TransferSyntaxUID.is_compressed


def _stored(data: Any, pixels: np.ndarray, name: str) -> Stored:
    kind = data.PhotometricInterpretation
    if kind == "PALETTE COLOR":
        return Stored(palette_colours(pixels, data), kind)
    if kind in ("MONOCHROME1", "MONOCHROME2"):
        return shown_greys(pixels, data)
    return Stored(pixels, kind, bits=said_depth(data))
