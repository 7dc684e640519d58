"""What the header of an image file says about it: size of a pixel, and which eye."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import nibabel

from monai_sfda.transforms.decode import sniff
from monai_sfda.transforms.dicom_header import dicom_header

__all__ = ["header_facts"]

TAGS = ["ImageLaterality", "Laterality", "PixelSpacing"]


def header_facts(path: str | Path) -> dict[str, Any]:
    """``spacing``, height and width of a pixel in mm, and ``laterality``, R or L, of a DICOM or NIfTI file; else None.

    DICOM: Pixel Spacing (0028,0030); Image Laterality (0020,0062), else Laterality (0020,0060). NIfTI: the voxel size,
    where the header says that it is in mm. The resolution of a picture is that of its print, and does not count. A
    header that cannot be read says nothing.
    """
    facts: dict[str, Any] = {"spacing": None, "laterality": None}
    try:
        kind = sniff(path)
        if kind == "dicom":
            data = dicom_header(path, tags=TAGS)
            facts["spacing"] = _lengths(data.get("PixelSpacing") or ())
            facts["laterality"] = data.get("ImageLaterality") or data.get("Laterality") or None
        elif kind == "nifti":
            header: Any = nibabel.load(path).header
            if header.get_xyzt_units()[0] == "mm":
                facts["spacing"] = _lengths(header.get_zooms()[1::-1])  # the first axis is x
    except Exception:  # as varied as broken headers
        return {"spacing": None, "laterality": None}
    return facts


def _lengths(values: Iterable[Any]) -> list[float] | None:
    lengths = [float(value) for value in values]
    return lengths if lengths and all(0 < length < math.inf for length in lengths) else None
