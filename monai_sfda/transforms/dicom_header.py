"""The header of a DICOM file."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from typing import Any

__all__ = ["dicom_header"]


def dicom_header(path: str | Path, *, tags: list[str] | None = None) -> Any:
    """Read the header, as a `pydicom.Dataset` without pixels.

    From then on pydicom and highdicom warn of nothing, in logs or on the screen: they quote the value that they warn
    of, and with it a patient.

    Args:
        path: of the file.
        tags: keywords of the elements to read; all by default.

    Raises:
        pydicom.errors.InvalidDicomError: if the file is not DICOM.
    """
    from pydicom import dcmread

    for library in ("pydicom", "highdicom"):
        logging.getLogger(library).setLevel(logging.CRITICAL)
        warnings.filterwarnings("ignore", module=rf"{library}(\.|$)")
    return dcmread(path, stop_before_pixels=True, specific_tags=tags)
