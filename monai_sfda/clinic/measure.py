"""Numbers from label maps: one row per image."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from monai_sfda.data import count_failures
from monai_sfda.files import whole_file

__all__ = ["cup_to_disc", "measure_mask", "score_table", "write_results"]


def cup_to_disc(disc: np.ndarray, cup: np.ndarray) -> tuple[float, float]:
    """Vertical and horizontal cup-to-disc ratio of upright masks (H, W): extents in rows and in columns.

    nan where there is no disc, 0 where there is a disc without a cup.
    """
    ratios = []
    for axis in (1, 0):
        extents = [np.flatnonzero(mask.any(axis)) for mask in (cup, disc)]
        cup_extent, disc_extent = (int(hit[-1] - hit[0]) + 1 if len(hit) else 0 for hit in extents)
        ratios.append(cup_extent / disc_extent if disc_extent else math.nan)
    return ratios[0], ratios[1]


def measure_mask(ids: np.ndarray, classes: Mapping[int, str]) -> dict[str, float]:
    """Pixels of each class of a label map (H, W); for optic disc and cup the disc includes the cup, and ratios follow.

    Args:
        ids: class of each pixel.
        classes: id -> name.
    """
    row: dict[str, float] = {"height": ids.shape[0], "width": ids.shape[1]}
    masks = {name: ids == number for number, name in classes.items()}
    nested = {"optic disc", "optic cup"} <= set(masks)
    if nested:
        masks["optic disc"] = masks["optic disc"] | masks["optic cup"]
    row |= {f"{name.replace(' ', '_')}_pixels": int(mask.sum()) for name, mask in masks.items()}
    if nested:
        vertical, horizontal = cup_to_disc(masks["optic disc"], masks["optic cup"])
        row |= {"vertical_cup_to_disc_ratio": vertical, "horizontal_cup_to_disc_ratio": horizontal}
    return row


def write_results(folder: Path, *, classes: Mapping[int, str]) -> dict[str, Any]:
    """Measure every mask under ``folder/masks``; write ``results.csv`` and ``summary.json``, whole or not at all.

    Returns:
        The summary: number of images and failures, mean of every column.
    """
    masks = sorted(path for path in (folder / "masks").rglob("*.png") if not path.name.startswith("."))
    rows: list[dict[str, Any]] = []
    for path in masks:
        try:
            with Image.open(path) as picture:
                numbers = measure_mask(np.asarray(picture), classes)
        except OSError as error:
            raise ValueError(f"Expected a mask in {path}, found a damaged file; delete it, it is made anew.") from error
        rows.append({"mask": path.relative_to(folder / "masks").as_posix(), **numbers})
    _write_csv(folder / "results.csv", rows)
    means = {}
    for name in rows[0] if rows else []:
        values = [row[name] for row in rows if name != "mask" and not math.isnan(row[name])]
        if values:
            means[name] = sum(values) / len(values)
    summary = {"images": len(rows), "failures": count_failures(folder / "failures.csv"), "mean": means}
    with whole_file(folder / "summary.json") as draft:
        draft.write_text(json.dumps(summary, indent=2) + "\n")
    return summary


def score_table(summary: Mapping[str, Any]) -> str:
    """``summary.json`` of an evaluation as lines for the screen, Dice in per cent."""
    lines = [f"{'':14}{'Dice %':>8}  {'95 % interval':>14}  {'ASSD':>7}  {'not found':>9}"]
    for name, scores in summary["structures"].items():
        dice, distance = scores["dice"], scores["assd_mean_of_directed"]
        low, high = dice["ci95"] or (math.nan, math.nan)
        lines.append(
            f"{name:14}{100 * (dice['mean'] or 0):8.1f}  {100 * low:6.1f} - {100 * high:5.1f}"
            f"  {distance['mean'] if distance['n'] else math.nan:7.2f}  {scores['empty_pred']:9d}"
        )
    unit = summary["assd_unit"]
    lines.append(f"{summary['cases']} images; ASSD: mean of the two directed means, in {unit}; pooled in summary.json")
    return "\n".join(lines)


def _write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    with whole_file(path) as draft, open(draft, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]) if rows else ["mask"], lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow({name: "" if value != value else value for name, value in row.items()})
