"""Read the size of a pixel and the eye from the header of an image file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel

from monai_sfda.reading.dicom_header import dicom_header, dicom_spacing
from monai_sfda.reading.kind import sniff
from monai_sfda.reading.nifti import nifti_spacing

__all__ = ["header_facts"]

TAGS = ["ImageLaterality", "Laterality", "FrameLaterality", "PixelSpacing"]


def header_facts(path: str | Path) -> dict[str, Any]:
    """``spacing``, height and width of a pixel in mm, and ``laterality``, R or L, of a DICOM or NIfTI file; else None.

    DICOM: Pixel Spacing (0028,0030), of an enhanced image that of its Pixel Measures; Image Laterality (0020,0062),
    else Laterality (0020,0060), else Frame Laterality (0020,9072). NIfTI: the voxel size of the affine, where the
    header names its unit. The resolution of a picture is that of its print, and does not count. A header that cannot
    be read says nothing.
    """
    facts: dict[str, Any] = {"spacing": None, "laterality": None}
    try:
        kind = sniff(path)
        if kind == "dicom":
            data = dicom_header(path, tags=TAGS)
            spacing, _ = dicom_spacing(data)
            facts["laterality"] = data.get("ImageLaterality") or data.get("Laterality") or data.get("FrameLaterality")
        elif kind == "nifti":
            spacing, _ = nifti_spacing(nibabel.load(path))
        else:
            return facts
    except Exception:  # as varied as broken headers
        return {"spacing": None, "laterality": None}
    facts["spacing"], facts["laterality"] = spacing and list(spacing), facts["laterality"] or None
    return facts
