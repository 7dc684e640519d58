"""What the demonstrations measure on labelled images: Dice of a network, and the images it does worst on."""

from __future__ import annotations

import json
from pathlib import Path

from monai_sfda import cli
from monai_sfda.tables import read_csv


def score(bundle: Path, labelled: Path, output: Path) -> dict[str, float]:
    """Structure -> mean Dice in per cent. Evaluates once; a second run reads the result."""
    if not (output / "summary.json").exists():
        cli.evaluate(str(bundle), str(labelled), output=str(output))
    structures = json.loads((output / "summary.json").read_text())["structures"]
    return {name: 100 * scores["dice"]["mean"] for name, scores in structures.items()}


def dice_by_image(scores: Path) -> dict[str, float]:
    """Name of an image -> Dice in [0, 1], summed over structures; one that could not be scored counts 0."""
    return {
        Path(row["case"]).name: sum(float(value or 0) for name, value in row.items() if name.endswith("_dice"))
        for row in read_csv(scores / "cases.csv")
    }


def worst_images(scores: Path, count: int) -> list[str]:
    """Names of the images with the lowest Dice."""
    dice = dice_by_image(scores)
    return sorted(dice, key=dice.__getitem__)[:count]
