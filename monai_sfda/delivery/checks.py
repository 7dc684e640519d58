"""Checks of one structure without labels: they can show a collapse, but never that a network is right.

Confidence is not checked: it rises even while a network that learns from its own labels gets worse.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, median
from typing import Any

from monai_sfda.delivery.case_sums import CaseChange
from monai_sfda.delivery.change import in_percent, mean_of_known
from monai_sfda.delivery.limits import Limits

__all__ = ["check_structure"]


def check_structure(name: str, rows: Sequence[CaseChange], limits: Limits) -> list[dict[str, Any]]:
    """Judge one structure.

    Args:
        name: of the structure.
        rows: of that structure, at least one, one per image.
        limits: values at which the checks fail.

    Returns:
        Checks, each ``name``, ``value``, ``limit``, ``passed``, ``fatal`` (a collapse), ``meaning`` and ``finding``
        (what was found, if it failed). ``passed`` is None, neither passed nor failed, where there is no value to judge,
        or where not even the worst value that these images allow would fail.
    """
    both = [row for row in rows if row.area_before and row.area_after]
    return [*_collapse(name, rows, both, limits), *_size(name, both, limits), *_shape(name, rows, limits)]


def _collapse(name: str, rows: Sequence[CaseChange], both: Sequence[CaseChange], limits: Limits) -> list[dict]:
    lost = fmean(row.area_after == 0 and row.area_before > 0 for row in rows)
    full = fmean(row.area_after > limits.full for row in rows)
    before = fmean(row.area_before > 0 for row in rows)
    after = fmean(row.area_after > 0 for row in rows)
    overlap = median(map(_overlap, both)) if both else math.nan
    neither = "; these images may suit neither network" if before < limits.found else ""
    return [
        _at_most(f"{name} lost", lost, limits.empty_share, worst=before, fatal=True,
                 meaning=f"share of images where the source network found the {name} and the adapted network does not",
                 finding=f"{name} is gone from {in_percent(lost)} of the images, though the source network found it"),
        _at_most(f"{name} everywhere", full, limits.empty_share, worst=float(limits.full < 1), fatal=True,
                 meaning=f"share of images in which the {name} covers more than {limits.full:g} of the area",
                 finding=f"{name} fills more than {in_percent(limits.full)} of the area in {in_percent(full)} of the "
                         "images"),
        _at_least(f"{name} found", after, limits.found, fatal=True,
                  meaning=f"share of images where the adapted network finds the {name} at all",
                  finding=f"{name} is found in {in_percent(after)} of the images (by the source network in "
                          f"{in_percent(before)}){neither}"),
        _at_least(f"{name} in place", overlap, limits.in_place, fatal=True,
                  meaning="median share of the smaller of the two masks (source, adapted) that overlaps the other",
                  finding=f"{name} is not marked where the source network marks it (in the typical image "
                          f"{in_percent(overlap)} of the smaller mask overlaps the other)"),
    ]  # fmt: skip


def _size(name: str, both: Sequence[CaseChange], limits: Limits) -> list[dict]:
    """A structure either grew or shrank, so one of the two checks has no value."""
    ratio = median(row.area_after / row.area_before for row in both) if both else math.nan
    largest = median(1 / row.area_before for row in both) if both else math.nan
    grew, shrank = (ratio, math.nan) if ratio >= 1 else (math.nan, ratio)
    return [
        _at_most(f"{name} growth", grew, limits.growth, worst=largest,
                 meaning="median of area after / area before, if the structure grew",
                 finding=f"{name} grew to more than {limits.growth:g} times the former area"),
        _at_least(f"{name} shrinkage", shrank, limits.shrinkage,
                  meaning="median of area after / area before, if the structure shrank",
                  finding=f"{name} shrank to less than {limits.shrinkage:g} times the former area"),
    ]  # fmt: skip


def _shape(name: str, rows: Sequence[CaseChange], limits: Limits) -> list[dict]:
    agreement = mean_of_known(row.agreement for row in rows)
    pieces = mean_of_known(row.pieces_after for row in rows)
    return [
        _at_least(f"{name} agreement", agreement, limits.agreement,
                  meaning="mean Dice between source and adapted masks",
                  finding=f"{name} has a mean Dice of only {agreement:.2g} with that of the source network"),
        _at_least(f"{name} in one piece", pieces, limits.one_piece,
                  meaning="mean share of the mask in its largest piece",
                  finding=f"{name} is in pieces (the largest holds {in_percent(pieces)} on average)"),
    ]  # fmt: skip


def _overlap(row: CaseChange) -> float:
    """Overlap coefficient: 1 where one mask holds the other, however much larger it is."""
    shared = row.agreement * (row.area_before + row.area_after) / 2
    return shared / min(row.area_before, row.area_after)


def _at_most(name: str, value: float, limit: float, *, worst: float, **about: Any) -> dict[str, Any]:
    return _check(name, value, f"at most {limit:g}", passed=value <= limit, can_fail=worst > limit, **about)


def _at_least(name: str, value: float, limit: float, **about: Any) -> dict[str, Any]:
    return _check(name, value, f"at least {limit:g}", passed=value >= limit, can_fail=limit > 0, **about)


def _check(
    name: str,
    value: float,
    limit: str,
    *,
    passed: bool,
    can_fail: bool,
    meaning: str,
    finding: str,
    fatal: bool = False,
) -> dict[str, Any]:
    known = math.isfinite(value)
    judged = bool(passed) if known and can_fail else None
    return {
        "name": name,
        "value": value if known else None,
        "limit": limit,
        "passed": judged,
        "fatal": fatal,
        "meaning": meaning,
        "finding": finding if judged is False else None,
    }
