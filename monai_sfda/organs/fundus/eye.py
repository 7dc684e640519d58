"""Which eye a photograph shows, and what follows for the rim of its disc."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from monai_sfda.organs.fundus.laterality import eye_of
from monai_sfda.organs.fundus.ratios import SIDES

__all__ = ["eye_columns", "isnt_order"]


def eye_columns(name: str, tag: str | None, ratios: Mapping[str, Any]) -> dict[str, Any]:
    """Columns for the eye, how it is known, its nasal side and the order of its rim widths.

    Args:
        name: of the image, or the eye that its pseudonym kept, see `eye_of`.
        tag: laterality in the header of the file.
        ratios: columns of `ratio_columns`.
    """
    eye, source = eye_of(name, tag)
    named = eye_of(name)[0] if source == "DICOM" else None
    return {
        "laterality": eye,
        "laterality_from": source,
        "nasal_side": eye,
        "isnt": isnt_order({side: ratios[f"rim_mean_{side}_px"] for side in SIDES}, eye),
        "eye_conflict": named != eye if named else None,
    }


def isnt_order(means: Mapping[str, float | None], nasal_side: str | None) -> bool | None:
    """Whether mean rim widths fall in the order inferior >= superior >= nasal >= temporal (Jonas et al., 1988).

    Args:
        means: width at each of `SIDES` of the upright photograph.
        nasal_side: ``"left"`` or ``"right"``, which is the name of the eye; None if unknown, then the answer is None.
    """
    if nasal_side is None:
        return None
    temporal_side = "left" if nasal_side == "right" else "right"
    widths = [means[side] for side in ("bottom", "top", nasal_side, temporal_side)]
    known = [width for width in widths if width is not None]
    return known == sorted(known, reverse=True) if len(known) == len(widths) else None
