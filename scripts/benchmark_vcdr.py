"""Error of the vertical cup-to-disc ratio (vCDR), and how much of it lies in the cases marked for review.

python scripts/benchmark_vcdr.py bundles/fundus_disc_cup LABELLED --output DIR \\
    source=WEIGHTS cbmt=RUN_0/bundle/models/model.pt cbmt=RUN_1/bundle/models/model.pt

Weights of one name are seeds: their mean, ± standard deviation. Labels only score; a second run continues a first.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import fire
import numpy as np

from monai_sfda.cli import predict
from monai_sfda.imageio import MaskReader
from monai_sfda.organs.fundus.ratios import cup_to_disc
from monai_sfda.tables import read_csv

COLUMNS = ("images", "error", "bias", "correlation", "to review", "error there", "error elsewhere", "held", "at best")


def main(bundle: str, labelled: str, *weights: str, output: str, flips: bool = True) -> None:
    """Print one row per name.

    Args:
        bundle: folder of the bundle.
        labelled: folder with image/ and mask/.
        weights: NAME=FILE, state dicts of the bundle's network.
        output: folder for the predictions.
        flips: whether the flags of agreement under flips count too.
    """
    truth = true_ratios(Path(labelled) / "mask")
    rows = defaultdict(list)
    for number, (name, path) in enumerate(word.split("=", 1) for word in weights):
        folder = Path(output) / f"{name}_{number}"
        predict(bundle, str(Path(labelled) / "image"), output=str(folder), checkpoint=path, flips=flips)
        rows[name].append(score(folder / "results.csv", truth))
    print(f"\n| network | {' | '.join(COLUMNS)} |\n|{'---|' * (1 + len(COLUMNS))}")
    for name, seeds in rows.items():
        print(f"| {name} | {' | '.join(cell([seed[column] for seed in seeds]) for column in COLUMNS)} |")


def true_ratios(masks: Path) -> dict[str, float | None]:
    """Stem of the file -> vCDR of its label map."""
    ratios = {}
    for path in sorted(masks.iterdir()):
        ids = np.asarray(MaskReader([0, 1, 2]).decode(path))
        ratios[path.stem] = cup_to_disc(ids > 0, ids == 2)[0]
    return ratios


def score(table: Path, truth: dict[str, float | None]) -> dict[str, Any]:
    """``held``: share of all error in the cases to review; ``at best``: in as many cases with the largest errors.

    An image without a disc has no ratio; its error is the true ratio, as if it had no cup.
    """
    rows = [row for row in read_csv(table) if truth.get(Path(row["file"]).stem) is not None]
    said = np.array([float(row.get("vertical_cup_to_disc_ratio") or 0) for row in rows])
    true = np.array([truth[Path(row["file"]).stem] for row in rows], dtype=float)
    review = np.array([row["status"] != "ok" for row in rows])
    error = np.abs(said - true)
    worst = np.sort(error)[::-1]
    return {
        "images": len(rows),
        "error": error.mean(),
        "bias": (said - true).mean(),
        "correlation": np.corrcoef(said, true)[0, 1],
        "to review": review.mean(),
        "error there": error[review].mean() if review.any() else float("nan"),
        "error elsewhere": error[~review].mean() if not review.all() else float("nan"),
        "held": error[review].sum() / error.sum(),
        "at best": worst[: review.sum()].sum() / error.sum(),
    }


def cell(values: list[Any]) -> str:
    if isinstance(values[0], int):
        return str(values[0])
    return f"{np.mean(values):.3f}" + (f" ± {np.std(values, ddof=1):.3f}" if len(values) > 1 else "")


if __name__ == "__main__":
    fire.Fire(main)
