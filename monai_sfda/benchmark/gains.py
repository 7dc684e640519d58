"""What each finished cell gains over the source network of its pair, image by image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from monai_sfda.choice import case_gains
from monai_sfda.choice.replay import Scored
from monai_sfda.tables import read_csv

__all__ = ["differ", "same_cases", "scored"]


def same_cases(folder: Path, before: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """Rows of the scores of a cell.

    Args:
        folder: of the cell.
        before: rows of the source network of its pair.

    Raises:
        ValueError: if they are of other cases.
    """
    rows = read_csv(folder / "scores" / "cases.csv")
    if [row["case"] for row in rows] != [row["case"] for row in before]:
        raise ValueError(
            f"Expected the cases of the source network in {folder}, found others; delete its scores and run again."
        )
    return rows


def scored(before: Sequence[Mapping[str, str]], after: Mapping[str, Sequence[Mapping[str, str]]]) -> tuple[Scored, int]:
    """Gains of the structures that any reference has, and how many are of a mask as empty as the reference.

    A benchmark keeps scores, not masks, so that the disagreement is that of areas.

    Args:
        before: rows of the source network.
        after: method -> rows of the same cases.
    """
    gains: dict[str, dict[str, list[float]]] = {}
    undefined, apart = 0, np.zeros(len(before))
    for structure in (name.removesuffix("_pred_area") for name in before[0] if name.endswith("_pred_area")):
        reference = _numbers(before, f"{structure}_dice")
        if np.isnan(reference).all():
            continue
        gains[structure] = {}
        for method, rows in after.items():
            gains[structure][method], empty = case_gains(
                _numbers(rows, f"{structure}_dice").tolist(), reference.tolist()
            )
            undefined += empty
            apart = np.maximum(apart, differ(before, rows, f"{structure}_pred_area"))
    return Scored(gains, apart.tolist()), undefined


def differ(before: Sequence[Mapping[str, str]], after: Sequence[Mapping[str, str]], area: str) -> np.ndarray:
    """Least value of 1 - Dice of two masks of these areas: the masks themselves are not kept."""
    one, other = _numbers(before, area), _numbers(after, area)
    return np.abs(one - other) / np.maximum(one + other, 1)


def _numbers(rows: Sequence[Mapping[str, str]], column: str) -> np.ndarray:
    return np.array([float(row[column] or "nan") for row in rows])
