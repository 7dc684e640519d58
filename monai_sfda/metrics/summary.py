"""Summarise the rows of all cases: means with confidence intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

__all__ = ["paired_bootstrap", "summarise", "summarise_values"]

RESAMPLES = 2000
SEED = 0


def summarise_values(values: Sequence[float]) -> dict[str, Any]:
    """Describe one measure over cases; nan means the case could not be measured and is skipped.

    Returns:
        ``mean``; ``std`` (population: divided by n, over cases); ``ci95`` [low, high] of the mean (percentile
        bootstrap over cases, 2000 resamples, fixed seed), None of one case; ``n`` cases measured; ``skipped`` cases
        left out. All but the counts are None when no case was measured.
    """
    column = np.asarray(values, dtype=np.float64)
    kept = column[~np.isnan(column)]
    counts = {"n": len(kept), "skipped": len(column) - len(kept)}
    if len(kept) == 0:
        return {"mean": None, "std": None, "ci95": None, **counts}
    return {"mean": float(kept.mean()), "std": float(kept.std()), "ci95": _interval(kept), **counts}


def summarise(rows: Sequence[Mapping[str, Mapping[str, float | int | bool]]]) -> dict[str, dict[str, Any]]:
    """Describe each measure of each structure over cases.

    Args:
        rows: one per case, structure -> measure -> value, as ``score_case`` gives; every row has the same names.

    Returns:
        structure -> measure -> description; a true/false measure is counted (cases for which it is true).
    """
    if not rows:
        return {}
    table: dict[str, dict[str, Any]] = {}
    for structure, measures in rows[0].items():
        columns = {name: [row[structure][name] for row in rows] for name in measures}
        table[structure] = {
            name: sum(column) if isinstance(column[0], bool) else summarise_values(column)
            for name, column in columns.items()
        }
    return table


def paired_bootstrap(before: Sequence[float], after: Sequence[float] | Sequence[Sequence[float]]) -> dict[str, Any]:
    """Compare two methods on the same cases, by a score of which more is better.

    Args:
        before: one value per case; nan where the case could not be measured.
        after: the same cases in the same order; of several seeds, one such list each.

    Returns:
        ``difference``, mean of after - before; ``ci95`` [low, high] of it, for other cases and, of several, other
        seeds (percentile bootstrap over cases; two or three seeds are too few to draw from, so that each resample is
        moved by their standard error times a number drawn from Student's t; 2000 resamples, fixed seed); ``worse``,
        share of the compared results, of all seeds, that ``after`` made worse, in [0, 1]; ``n`` cases compared;
        ``skipped_before`` and ``skipped_after``, cases that either could not measure (in any seed): a method that
        loses structures shows there. All but the counts are None when no case is left.

    Raises:
        ValueError: if the two do not have one value per case each.
    """
    first, second = np.asarray(before, dtype=np.float64), np.atleast_2d(np.asarray(after, dtype=np.float64))
    if first.ndim != 1 or second.ndim != 2 or second.shape[1:] != first.shape:
        raise ValueError(
            f"Expected lists of one length, found shapes {first.shape} and {np.shape(after)}; pair them by case."
        )
    change = second - first
    kept = change[:, ~np.isnan(change).any(axis=0)]
    counts = {
        "n": kept.shape[1],
        "skipped_before": int(np.isnan(first).sum()),
        "skipped_after": int(np.isnan(second).any(axis=0).sum()),
    }
    if kept.size == 0:
        return {"difference": None, "ci95": None, "worse": None, **counts}
    return {"difference": float(kept.mean()), "ci95": _interval(kept), "worse": float((kept < 0).mean()), **counts}


def _interval(values: np.ndarray) -> list[float] | None:
    """95 % interval of the mean of ``values``, (n,) of cases or (seeds, n); see `paired_bootstrap`."""
    draw = np.random.default_rng(SEED)
    table = np.atleast_2d(values)
    if table.shape[1] == 1:
        return None  # one case says nothing of others
    cases = table.mean(axis=0)
    means = np.array([cases[draw.integers(len(cases), size=len(cases))].mean() for _ in range(RESAMPLES)])
    if len(table) > 1:
        error = table.mean(axis=1).std(ddof=1) / math.sqrt(len(table))
        means += error * draw.standard_t(len(table) - 1, size=RESAMPLES)
    low, high = np.percentile(means, [2.5, 97.5])
    return [float(low), float(high)]
