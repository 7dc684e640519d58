"""A source network meets the camera of another clinic: ``python3 scripts/demo.py [--output DIR]``.

Makes two simulated clinics, scores the shipped network on its own camera and on the other one, adapts it to unlabelled
images of the other one, and scores it again on images it has not seen. A second run continues where the first stopped.
"""

import environment

environment.enter("dev")

import argparse  # noqa: E402
import json  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402
from PIL import Image  # noqa: E402

from monai_sfda import cli  # noqa: E402
from monai_sfda.console import one_sentence  # noqa: E402
from monai_sfda.organs.fundus.simulated import write_clinic  # noqa: E402
from monai_sfda.report import before_after, contact_sheet  # noqa: E402
from monai_sfda.tables import read_csv  # noqa: E402

BUNDLE = environment.ROOT / "bundles" / "fundus_disc_cup"
# Seeds far from the one the shipped weights were trained with, so that no eye is met twice.
CLINICS = {
    "source": {"camera": "source", "count": 24, "seed": 1001},
    "target_train": {"camera": "target", "count": 64, "seed": 2001},
    "target_test": {"camera": "target", "count": 24, "seed": 2002},
}


def dice(folder: Path) -> dict[str, float]:
    """Structure -> mean Dice in per cent."""
    structures = json.loads((folder / "summary.json").read_text())["structures"]
    return {name: 100 * scores["dice"]["mean"] for name, scores in structures.items()}


def score(bundle: Path, clinic: Path, output: Path) -> dict[str, float]:
    """Evaluate once; a second run reads the result."""
    if not (output / "summary.json").exists():
        cli.evaluate(str(bundle), str(clinic), output=str(output))
    return dice(output)


def worst_cases(scores: Path, count: int) -> list[str]:
    """Names of the images with the lowest Dice, summed over structures."""
    rows = read_csv(scores / "cases.csv")
    rows.sort(key=lambda row: sum(float(value or 0) for name, value in row.items() if name.endswith("_dice")))
    return [Path(row["case"]).name for row in rows[:count]]


def picture(names: list[str], before: Path, after: Path, clinic: Path, output: Path) -> Path:
    """Write a sheet of image, source mask, adapted mask and truth."""
    tiles = []
    for name in names:
        maps = [np.asarray(Image.open(folder / name)) for folder in (before, after, clinic / "mask")]
        masks = [np.stack([ids >= 1, ids == 2]) for ids in maps]
        tiles.append(before_after(np.asarray(Image.open(clinic / "image" / name)), *masks))
    Image.fromarray(contact_sheet(tiles, 1)).save(output)
    return output


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=environment.ROOT / "runs" / "demo")
    parser.add_argument("--epochs", type=int, default=20)
    options = parser.parse_args()
    output = options.output
    clinics = {name: write_clinic(output / "data" / name, **settings) for name, settings in CLINICS.items()}
    adaptation = output / "adaptation"

    print("\n1. The source network on its own camera")
    home = score(BUNDLE, clinics["source"], output / "scores" / "source_camera")
    print("\n2. The source network on the other camera")
    before = score(BUNDLE, clinics["target_test"], output / "scores" / "other_camera_before")
    print("\n3. Adapting to 64 unlabelled images of the other camera")
    images = clinics["target_train"] / "image"
    cli.adapt(str(BUNDLE), str(images), output=str(adaptation), epochs=options.epochs)
    print("\n4. The adapted network on images it has not seen")
    after = score(adaptation / "bundle", clinics["target_test"], output / "scores" / "other_camera_after")
    masks = {"before": BUNDLE, "after": adaptation / "bundle"}
    for name, bundle in masks.items():
        cli.predict(str(bundle), str(clinics["target_test"]), output=str(output / "masks" / name))
    folders = [output / "masks" / name / "masks" for name in masks]
    names = worst_cases(output / "scores" / "other_camera_before", 4)
    sheet = picture(names, *folders, clinics["target_test"], output / "before_after.png")

    print(f"\n{'Dice %':10}{'own camera':>14}{'other camera':>16}{'adapted':>12}")
    for name in home:
        print(f"{name:10}{home[name]:14.1f}{before[name]:16.1f}{after[name]:12.1f}")
    print(f"\nLook at {sheet} and open {adaptation / 'report.html'}.")
    print(f"Your own images: .venv/bin/monai-sfda adapt {BUNDLE.relative_to(environment.ROOT)} IMAGES --output DIR")


if __name__ == "__main__":
    with one_sentence():
        main()
