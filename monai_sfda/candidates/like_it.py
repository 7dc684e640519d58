"""How many measured adaptations that looked like one of yours had lost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from monai_sfda.choice import Rule
from monai_sfda.tables import read_csv

__all__ = ["MEASURED", "has_lost", "like_it", "look", "measured"]

MEASURED = Path(__file__).with_name("adaptations.csv")
"""What ``scripts/measured_adaptations.py`` gathered."""
STEADY = 1.1
"""As much may a structure grow, or shrink by, and count as nearly unchanged."""


def measured(table: Path = MEASURED) -> dict[tuple[str, str, str], list[dict[str, str]]]:
    """(pair, method, seed) -> the rows of that adaptation, one for each structure."""
    runs: dict[tuple[str, str, str], list[dict[str, str]]] = {}
    for row in read_csv(table, ["pair", "method", "seed", "decision", "area_ratio", "gain"]):
        runs.setdefault((row["pair"], row["method"], row["seed"]), []).append(row)
    return runs


def look(rows: Sequence[Mapping[str, str]]) -> tuple[str, bool]:
    """All that is compared of an adaptation: what its checks found, and whether sizes changed."""
    return rows[0]["decision"], _moved([float(row["area_ratio"] or 1) for row in rows])


def has_lost(rows: Sequence[Mapping[str, str]]) -> bool:
    """Whether a structure lost more than the margin of the rule."""
    return min(float(row["gain"]) for row in rows) < -Rule().margin


def like_it(decision: str, ratios: Mapping[str, float | None], table: Path = MEASURED) -> str:
    """``of 12 measured adaptations that looked like this one (...), 4 lost more than a point of Dice in a structure``.

    Two look alike if their checks had the same result, and if either in both or in none of them a structure grew or
    shrank by more than a tenth. That is all that is compared: no label-free score can tell better from worse.

    Args:
        decision: ``keep-source`` or ``outline``.
        ratios: structure -> median of area after / area before; None if unknown.
        table: with the columns of `monai_sfda.benchmark.adaptations`.
    """
    runs = measured(table)
    mine = decision, _moved(ratios.values())
    alike = [rows for rows in runs.values() if look(rows) == mine]
    lost = sum(has_lost(rows) for rows in alike)
    looks = "a structure grew or shrank by more than a tenth" if mine[1] else "sizes hardly changed"
    looks = f"evidence of a collapse, {looks}" if decision == "keep-source" else f"no sign of a collapse, {looks}"
    if not alike:
        return f"of {len(runs)} measured adaptations none looked like this one ({looks})"
    return (
        f"of {len(alike)} measured adaptations that looked like this one ({looks}), {lost} lost more than a point of "
        "Dice in a structure"
    )


def _moved(ratios: Iterable[float | None]) -> bool:
    return any(ratio is not None and not 1 / STEADY <= ratio <= STEADY for ratio in ratios)
