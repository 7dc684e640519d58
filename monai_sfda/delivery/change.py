"""How much each structure changed, in numbers and in words. These are facts, and nothing is judged by them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean, median

from monai_sfda.delivery.case_sums import CaseChange
from monai_sfda.delivery.limits import Limits
from monai_sfda.digits import in_digits

__all__ = ["describe_change", "in_percent", "in_times", "mean_of_known", "summarise_change"]


def summarise_change(
    rows: Sequence[CaseChange], *, mask_shares: Mapping[str, float] | None = None
) -> dict[str, dict[str, float]]:
    """What the comparison found about each structure.

    Args:
        rows: one per image and structure.
        mask_shares: structure -> mean share of the image in the masks that the source network learned from, in [0, 1].

    Returns:
        Structure -> ``area_before``, ``area_after``, ``area_masks`` (mean shares of the image), ``area_ratio`` (median
        of area after / area before where both networks find it), ``agreement`` (mean Dice), ``confidence_before``,
        ``confidence_after`` (means where both find it), ``empty_before``, ``empty_after`` (numbers of images). What is
        unknown is nan.
    """
    summary = {}
    for name in dict.fromkeys(row.structure for row in rows):
        mine = [row for row in rows if row.structure == name]
        both = [row for row in mine if row.area_before and row.area_after]
        summary[name] = {
            "area_before": fmean(row.area_before for row in mine),
            "area_after": fmean(row.area_after for row in mine),
            "area_masks": (mask_shares or {}).get(name, math.nan),
            "area_ratio": median(row.area_after / row.area_before for row in both) if both else math.nan,
            "agreement": mean_of_known(row.agreement for row in mine),
            "confidence_before": mean_of_known(row.confidence_before for row in both),
            "confidence_after": mean_of_known(row.confidence_after for row in both),
            "empty_before": sum(row.area_before == 0 for row in mine),
            "empty_after": sum(row.area_after == 0 for row in mine),
        }
    return summary


def describe_change(name: str, change: Mapping[str, float], limits: Limits) -> str:
    """Value and direction of one structure of `summarise_change`, for the middle of a sentence."""
    means = (
        f"on average the adapted network marks {in_percent(change['area_after'])} of the image, the source network "
        f"{in_percent(change['area_before'])}"
    )
    if math.isfinite(change["area_masks"]):
        means += f", the source's masks cover {in_percent(change['area_masks'])}"
    return f"{name} {_direction(change['area_ratio'], limits)} ({means})"


def _direction(ratio: float, limits: Limits) -> str:
    if not math.isfinite(ratio):
        return "was not found by both networks in any image"
    times = in_times(ratio, limits=[limits.growth, limits.shrinkage])
    if times == "1.00":
        return "kept its area in the typical image"
    return f"{'grew' if ratio > 1 else 'shrank'} to {times} times the former area in the typical image"


def in_times(ratio: float, *, limits: Iterable[float] = ()) -> str:
    """A factor in as many digits as one can use, and as tell it apart from ``limits``."""
    if ratio < 0.1:
        return in_digits(ratio, 1, limits=limits)
    return in_digits(ratio, 2 if ratio < 10 else 0, limits=limits, kind="f")


def in_percent(share: float, *, limits: Iterable[float] = ()) -> str:
    """A share with its unit, in as many digits as one can use, and as tell it apart from ``limits``."""
    percent = 100 * share
    return f"{in_digits(percent, 2 if percent < 9.95 else 3, limits=[100 * limit for limit in limits])} %"


def mean_of_known(values: Iterable[float]) -> float:
    """Mean of the finite values; nan if there are none."""
    known = [value for value in values if math.isfinite(value)]
    return fmean(known) if known else math.nan
