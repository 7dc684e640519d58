"""Checks of one structure without labels: they can show a collapse, but never that a network is right.

Confidence is not checked: it rises even while a network that learns from its own labels gets worse.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, median
from typing import Any

from monai_sfda.delivery.case_sums import CaseChange
from monai_sfda.delivery.change import in_percent, in_times, mean_of_known
from monai_sfda.delivery.check import at_least, at_most, check
from monai_sfda.delivery.limits import Limits
from monai_sfda.digits import in_digits

__all__ = ["check_structure"]


def check_structure(
    name: str, rows: Sequence[CaseChange], limits: Limits, mask_share: float | None = None
) -> list[dict[str, Any]]:
    """Judge one structure.

    Args:
        name: of the structure.
        rows: of that structure, at least one, one per image.
        limits: values at which the checks fail.
        mask_share: mean share of the image in the masks that the source network learned from, if it is known.

    Returns:
        Checks, each ``name``, ``value``, ``text`` (the value in as many digits as tell it apart from its limits),
        ``limit``, ``passed``, ``fatal`` (a collapse, if it failed), ``meaning`` and ``finding`` (what was found, if it
        failed). ``passed`` is None, neither passed nor failed, where there is no value to judge, or where not even the
        worst value that these images allow would fail.
    """
    both = [row for row in rows if row.area_before and row.area_after]
    return [
        *_presence(name, rows, limits),
        _place(name, both, limits),
        _area(name, rows, limits, mask_share),
        *_size(name, both, limits),
        *_shape(name, rows, limits),
    ]


def _presence(name: str, rows: Sequence[CaseChange], limits: Limits) -> list[dict]:
    before = fmean(row.area_before > 0 for row in rows)
    after = fmean(row.area_after > 0 for row in rows)
    had = [row for row in rows if row.area_before] if before >= limits.found else []
    lost = fmean(not row.area_after for row in had) if had else math.nan
    full = fmean(row.area_after > limits.full for row in rows)
    bounds = [min(limits.few_images, limits.empty_share), limits.empty_share]
    neither = "; these images may suit neither network" if before < limits.found else ""
    return [
        at_most(f"{name} lost", lost, *bounds, worst=1,
                meaning=f"share of the images with {name}, by the source network, where the adapted one finds none",
                finding=f"{name} is gone from {in_percent(lost, limits=bounds)} of the images in which the source "
                        "network found it"),
        at_most(f"{name} everywhere", full, *bounds, worst=float(limits.full < 1),
                meaning=f"share of images of which the {name} fills more than {in_percent(limits.full)}",
                finding=f"{name} fills more than {in_percent(limits.full)} of the image in "
                        f"{in_percent(full, limits=bounds)} of the images"),
        at_least(f"{name} found", after, limits.found, fatal=True,
                 meaning=f"share of images where the adapted network finds the {name} at all",
                 finding=f"{name} is found in {in_percent(after, limits=[limits.found])} of the images (by the source "
                         f"network in {in_percent(before, limits=[limits.found])}){neither}"),
    ]  # fmt: skip


def _place(name: str, both: Sequence[CaseChange], limits: Limits) -> dict:
    overlap = median(map(_overlap, both)) if both else math.nan
    return at_least(
        f"{name} in place",
        overlap,
        limits.in_place,
        fatal=True,
        meaning="median share of the smaller of the two masks (source, adapted) that overlaps the other",
        finding=f"{name} is not marked where the source network marks it (in the typical image "
        f"{in_percent(overlap, limits=[limits.in_place])} of the smaller mask overlaps the other)",
    )


def _area(name: str, rows: Sequence[CaseChange], limits: Limits, mask_share: float | None) -> dict:
    before, after = (fmean(areas) for areas in zip(*((row.area_before, row.area_after) for row in rows), strict=True))
    reference, whose = (mask_share, "the source's masks cover") if mask_share else (before, "the source network marks")
    ratio = after / reference if reference else math.nan
    nearer = _factor(ratio) < _factor(before / reference) if reference else False
    judged = ratio if after and not nearer and (mask_share or ratio < 1) else math.nan
    factor = limits.area_factor
    return check(
        f"{name} area",
        judged,
        [1 / factor, factor],
        limit=f"{1 / factor:g} to {factor:g}",
        passed=1 / factor <= ratio <= factor,
        can_fail=math.isfinite(factor),
        fatal=True,
        meaning=f"mean area, as a multiple of what {whose}; not judged if it came nearer to that",
        finding=f"{name} covers {in_percent(after)} of the image on average, "
        f"{in_times(ratio, limits=[1 / factor, factor])} times the {in_percent(reference)} that {whose}",
    )


def _size(name: str, both: Sequence[CaseChange], limits: Limits) -> list[dict]:
    """A structure either grew or shrank, so one of the two checks has no value."""
    ratio = median(row.area_after / row.area_before for row in both) if both else math.nan
    largest = median(1 / row.area_before for row in both) if both else math.nan
    grew, shrank = (ratio, math.nan) if ratio >= 1 else (math.nan, ratio)
    return [
        at_most(f"{name} growth", grew, limits.growth, worst=largest,
                meaning="median of area after / area before, if the structure grew",
                finding=f"{name} grew to more than {limits.growth:g} times the former area"),
        at_least(f"{name} shrinkage", shrank, limits.shrinkage,
                 meaning="median of area after / area before, if the structure shrank",
                 finding=f"{name} shrank to less than {limits.shrinkage:g} times the former area"),
    ]  # fmt: skip


def _shape(name: str, rows: Sequence[CaseChange], limits: Limits) -> list[dict]:
    agreement = mean_of_known(row.agreement for row in rows)
    pieces = mean_of_known(row.pieces_after for row in rows)
    return [
        at_least(f"{name} agreement", agreement, limits.agreement,
                 meaning="mean Dice between source and adapted masks",
                 finding=f"{name} has a mean Dice of only {in_digits(agreement, 2, limits=[limits.agreement])} with "
                         "that of the source network"),
        at_least(f"{name} in one piece", pieces, limits.one_piece,
                 meaning="mean share of the mask in its largest piece",
                 finding=f"{name} is in pieces (on average the largest holds "
                         f"{in_percent(pieces, limits=[limits.one_piece])} of its mask)"),
    ]  # fmt: skip


def _overlap(row: CaseChange) -> float:
    """Overlap coefficient: 1 where one mask holds the other, however much larger it is."""
    shared = row.agreement * (row.area_before + row.area_after) / 2
    return shared / min(row.area_before, row.area_after)


def _factor(ratio: float) -> float:
    """How far a ratio is from 1, in either direction."""
    return max(ratio, 1 / ratio) if ratio else math.inf
