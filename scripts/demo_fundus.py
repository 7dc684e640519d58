"""A source network meets the camera of another clinic: ``python3 scripts/demo.py --task fundus``.

Makes two simulated clinics, scores the shipped network on its own camera and on the other one, adapts it to unlabelled
images of the other one, and scores it again on images it has not seen.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from demo_scores import score, worst_images
from environment import ROOT
from PIL import Image

from monai_sfda import cli
from monai_sfda.organs.fundus.simulated import write_clinic
from monai_sfda.report import before_after, contact_sheet

EPOCHS = 20
BUNDLE = ROOT / "bundles" / "fundus_disc_cup"
# Seeds far from the one the shipped weights were trained with, so that no eye is met twice.
CLINICS = {
    "source": {"camera": "source", "count": 24, "seed": 1001},
    "target_train": {"camera": "target", "count": 64, "seed": 2001},
    "target_test": {"camera": "target", "count": 24, "seed": 2002},
}


def picture(names: list[str], before: Path, after: Path, clinic: Path, output: Path) -> Path:
    """Write a sheet of image, source mask, adapted mask and truth."""
    tiles = []
    for name in names:
        maps = [np.asarray(Image.open(folder / name)) for folder in (before, after, clinic / "mask")]
        masks = [np.stack([ids >= 1, ids == 2]) for ids in maps]
        tiles.append(before_after(np.asarray(Image.open(clinic / "image" / name)), *masks))
    Image.fromarray(contact_sheet(tiles, 1)).save(output)
    return output


def run(output: Path) -> None:
    clinics = {name: write_clinic(output / "data" / name, **settings) for name, settings in CLINICS.items()}
    adaptation = output / "adaptation"

    print("\n1. The source network on its own camera")
    home = score(BUNDLE, clinics["source"], output / "scores" / "source_camera")
    print("\n2. The source network on the other camera")
    before = score(BUNDLE, clinics["target_test"], output / "scores" / "other_camera_before")
    print("\n3. Adapting to 64 unlabelled images of the other camera")
    cli.adapt(str(BUNDLE), str(clinics["target_train"] / "image"), output=str(adaptation), epochs=EPOCHS)
    print("\n4. The adapted network on images it has not seen")
    after = score(adaptation / "bundle", clinics["target_test"], output / "scores" / "other_camera_after")
    masks = {"before": BUNDLE, "after": adaptation / "bundle"}
    for name, bundle in masks.items():
        cli.predict(str(bundle), str(clinics["target_test"]), output=str(output / "masks" / name))
    folders = [output / "masks" / name / "masks" for name in masks]
    names = worst_images(output / "scores" / "other_camera_before", 4)
    sheet = picture(names, *folders, clinics["target_test"], output / "before_after.png")

    print(f"\n{'Dice %':10}{'own camera':>14}{'other camera':>16}{'adapted':>12}")
    for name in home:
        print(f"{name:10}{home[name]:14.1f}{before[name]:16.1f}{after[name]:12.1f}")
    print(f"\nLook at {sheet} and open {adaptation / 'report.html'}.")
    print(f"Your own images: .venv/bin/monai-sfda adapt {BUNDLE.relative_to(ROOT)} IMAGES --output DIR")
