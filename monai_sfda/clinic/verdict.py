"""Adopt, review or keep the source: checks that need no label.

They can show that a network has collapsed; they cannot show that it is right. Every limit is a convention, stated in
the report beside the value it judges. Two were set with labels in sight. ``area_ratio`` was 2 until CBMT lost a tenth
of its Dice on RIM-ONE with less. ``in_place`` exists since a student that learns from its own labels ended on slivers
beside the nuclei, sure of itself and with something in every image (0.08; the next of 22 runs has 0.45).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean, median
from typing import Any, NamedTuple

from monai_sfda.clinic.compare import CaseChange

__all__ = ["Limits", "judge", "summarise_change"]


class Limits(NamedTuple):
    """Where a check fails."""

    empty_share: float = 0.05
    """Share of images in which a structure that the source found has vanished (keep-source)."""
    full: float = 0.9
    """Share of an image above which a structure fills it; allowed in ``empty_share`` of the images (keep-source)."""
    in_place: float = 0.25
    """Median share of the smaller of the two masks that lies in the other one, where both exist (keep-source)."""
    area_ratio: float = 1.25
    """Median area after / before, or its inverse (review): a quarter more or a fifth less is for a person to judge."""
    agreement: float = 0.5
    """Mean Dice between source and adapted masks (review)."""
    confidence_loss: float = 0.02
    """Mean fall of soft Dice confidence where both networks find the structure (review)."""
    one_piece: float = 0.95
    """Mean share of a mask in its largest piece (review)."""
    found: float = 0.05
    """Share of images in which the adapted network finds a structure at all (review)."""

    @classmethod
    def of(cls, limits: Mapping[str, float]) -> Limits:
        """The defaults, some of them replaced.

        Raises:
            ValueError: if there is no such limit, or one is no number, or ``area_ratio`` is below 1.
        """
        for name, value in limits.items():
            if name not in cls._fields or isinstance(value, bool) or not isinstance(value, (int, float)):
                raise ValueError(f"Expected numbers for {', '.join(cls._fields)}, found {name}={value!r}; mend limits.")
        if limits.get("area_ratio", 1) < 1:
            raise ValueError(f"Expected area_ratio of at least 1, found {limits['area_ratio']}; mend limits.")
        return cls(**limits)


def summarise_change(rows: Sequence[CaseChange]) -> dict[str, dict[str, float]]:
    """Structure -> mean areas, agreement and numbers of empty masks, as the report shows them."""
    summary = {}
    for name in dict.fromkeys(row.structure for row in rows):
        mine = [row for row in rows if row.structure == name]
        summary[name] = {
            "area_before": fmean(row.area_before for row in mine),
            "area_after": fmean(row.area_after for row in mine),
            "agreement": _mean(row.agreement for row in mine),
            "empty_before": sum(row.area_before == 0 for row in mine),
            "empty_after": sum(row.area_after == 0 for row in mine),
        }
    return summary


def judge(rows: Sequence[CaseChange], *, limits: Limits | Mapping[str, float] = Limits()) -> dict[str, Any]:  # noqa: B008
    """Decide from the comparison of source and adapted masks.

    Args:
        rows: one per image and structure.
        limits: thresholds; a mapping overrides some of the defaults.

    Returns:
        ``decision`` (``"adopt"``, ``"review"`` or ``"keep-source"``), ``sentence`` and the ``checks`` behind it.
    """
    limits = limits if isinstance(limits, Limits) else Limits.of(limits)
    checks = []
    for name in dict.fromkeys(row.structure for row in rows):
        checks += _checks(name, [row for row in rows if row.structure == name], limits)
    failed = [check for check in checks if check["passed"] is False]
    if any(check["fatal"] for check in failed):
        decision, reason = "keep-source", "The adapted network lost what the source found, or marks something else"
    elif not rows:
        decision, reason = "review", "No image was compared"
    elif failed:
        decision, reason = "review", "The adapted network differs from the source in ways that a person should look at"
    else:
        decision, reason = "adopt", "No sign of collapse: look at the pictures before using it"
    names = ", ".join(check["name"] for check in failed)
    return {"decision": decision, "sentence": f"{reason}{f' ({names})' if names else ''}.", "checks": checks}


def _checks(name: str, rows: Sequence[CaseChange], limits: Limits) -> list[dict[str, Any]]:
    lost = fmean(row.area_after == 0 and row.area_before > 0 for row in rows)
    full = fmean(row.area_after > limits.full for row in rows)
    found = fmean(row.area_after > 0 for row in rows)
    both = [row for row in rows if row.area_before and row.area_after]
    ratio = median(row.area_after / row.area_before for row in both) if both else math.nan
    overlap = median(map(_overlap, both)) if both else math.nan
    agreement = _mean(row.agreement for row in rows)
    confidence = _mean(row.confidence_after - row.confidence_before for row in rows)
    pieces = _mean(row.pieces_after for row in rows)
    low, high = 1 / limits.area_ratio, limits.area_ratio
    return [
        _check(f"{name} lost", lost, f"at most {limits.empty_share:g}", lost <= limits.empty_share, fatal=True,
               meaning=f"share of images where the source found the {name} and the adapted network does not"),
        _check(f"{name} everywhere", full, f"at most {limits.empty_share:g}", full <= limits.empty_share, fatal=True,
               meaning=f"share of images that the {name} fills to more than {limits.full:g}"),
        _check(f"{name} in place", overlap, f"at least {limits.in_place:g}", overlap >= limits.in_place, fatal=True,
               meaning="median share of the smaller of source and adapted mask that lies in the other"),
        _check(f"{name} found", found, f"at least {limits.found:g}", found >= limits.found,
               meaning=f"share of images where the adapted network finds the {name}, whatever the source did"),
        _check(f"{name} size", ratio, f"{low:g} to {high:g}", low <= ratio <= high,
               meaning="median of area after / area before"),
        _check(f"{name} agreement", agreement, f"at least {limits.agreement:g}", agreement >= limits.agreement,
               meaning="mean Dice between source and adapted masks"),
        _check(f"{name} confidence", confidence, f"at least {-limits.confidence_loss:g}",
               confidence >= -limits.confidence_loss,
               meaning="mean change of soft Dice confidence where both networks find something"),
        _check(f"{name} in one piece", pieces, f"at least {limits.one_piece:g}", pieces >= limits.one_piece,
               meaning="mean share of the mask in its largest piece"),
    ]  # fmt: skip


def _overlap(row: CaseChange) -> float:
    """Overlap coefficient: 1 where one mask holds the other, however much larger it is."""
    shared = row.agreement * (row.area_before + row.area_after) / 2
    return shared / min(row.area_before, row.area_after)


def _check(name: str, value: float, limit: str, passed: bool, *, meaning: str, fatal: bool = False) -> dict[str, Any]:
    # A value that could not be taken (no mask on either side) neither passes nor fails.
    known = math.isfinite(value)
    return {
        "name": name,
        "value": value if known else None,
        "limit": limit,
        "passed": bool(passed) if known else None,
        "fatal": fatal,
        "meaning": meaning,
    }


def _mean(values: Any) -> float:
    known = [value for value in values if math.isfinite(value)]
    return fmean(known) if known else math.nan
