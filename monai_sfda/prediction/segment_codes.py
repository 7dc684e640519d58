"""What the segments of a DICOM Segmentation are, and what made them, in codes."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import shorten
from typing import Any

__all__ = ["describe_segments", "one_line"]

CODES = {"nucleus": ("AnatomicalStructure", "Nucleus", None)}
"""Name -> category, type and region, SNOMED CT codes of DICOM PS3.16, for structures without findings."""

OTHER = ("Tissue", "Tissue", None)  # as general as the codes get; the label names the structure
LONGEST = 64  # characters of a DICOM long string


def describe_segments(
    classes: Mapping[int, str],
    codes_of: Mapping[int, tuple[str, str, str | None]],
    *,
    model: tuple[str, str],
    weights: str,
) -> list[Any]:
    """Segment descriptions for highdicom, numbered from 1.

    Args:
        classes: id -> name of the structure.
        codes_of: class id -> category, type and region, see `Findings`.
        model: name and version of the bundle.
        weights: what tells the networks of a bundle from one another.
    """
    from highdicom import AlgorithmIdentificationSequence
    from highdicom.seg import SegmentDescription
    from pydicom.sr.codedict import codes

    algorithm = AlgorithmIdentificationSequence(
        name=one_line(model[0]),
        family=codes.DCM.ArtificialIntelligence,
        version=one_line(model[1]),
        source="monai-sfda",
        parameters={"weights": weights},
    )
    segments = []
    for segment, (number, name) in enumerate(classes.items(), 1):
        category, kind, region = codes_of.get(number) or CODES.get(name, OTHER)
        segments.append(
            SegmentDescription(
                segment_number=segment,
                segment_label=one_line(name),
                segmented_property_category=getattr(codes.SCT, category),
                segmented_property_type=getattr(codes.SCT, kind),
                algorithm_type="AUTOMATIC",
                algorithm_identification=algorithm,
                anatomic_regions=[getattr(codes.SCT, region)] if region else None,
            )
        )
    return segments


def one_line(text: str) -> str:
    """What fits a DICOM long string in any character set, cut between words."""
    plain = text.encode("ascii", "replace").decode().replace("\\", "/")
    return shorten(plain, LONGEST, placeholder=" ...")
