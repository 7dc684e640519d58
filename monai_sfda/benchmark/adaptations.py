"""A table of measured adaptations: what their reports said without labels, and what they gained."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from monai_sfda.benchmark.gains import same_cases, scored
from monai_sfda.delivery.verdict import read_verdict
from monai_sfda.json_file import read_json
from monai_sfda.tables import read_csv, write_csv

__all__ = ["COLUMNS", "write_adaptations"]

COLUMNS = ("pair", "method", "seed", "structure", "decision", "area_ratio", "gain")
"""``decision`` and ``area_ratio`` (median of area after / before; empty if unknown) are of the report; ``gain`` is the
mean of Dice less that of the source network."""


def write_adaptations(path: Path, outputs: Sequence[Path]) -> int:
    """Write one row for each structure of each finished adaptation; no matrix is needed.

    Args:
        path: CSV file to write, with `COLUMNS`.
        outputs: folders of ``monai-sfda benchmark``.

    Returns:
        The number of adaptations.
    """
    rows = [row for output in outputs for row in _rows(output)]
    write_csv(path, COLUMNS, rows)
    return len({(row["pair"], row["method"], row["seed"]) for row in rows})


def _rows(output: Path) -> Iterator[dict[str, Any]]:
    for source in sorted(output.glob("*/source_only/scores/cases.csv")):
        before, pair = read_csv(source), source.parents[2]
        for report in sorted(pair.glob("*/run/report.json")):
            cell = report.parents[1]
            if (cell / "scores" / "summary.json").is_file():
                yield from _of_cell(cell, before)


def _of_cell(cell: Path, before: Sequence[dict[str, str]]) -> Iterator[dict[str, Any]]:
    report = read_json(cell / "run" / "report.json")
    method, _, seed = cell.name.rpartition("_")
    gains = scored(before, {method: same_cases(cell, before)})[0].gains
    for structure, column in gains.items():
        ratio = report.get("change", {}).get(structure, {}).get("area_ratio")
        yield {
            "pair": cell.parent.name,
            "method": method,
            "seed": seed,
            "structure": structure,
            "decision": read_verdict(report)["decision"],
            "area_ratio": None if ratio is None else round(ratio, 3),
            "gain": round(fmean(column[method]), 4),
        }
