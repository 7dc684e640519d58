"""A source network meets real images of another instrument: ``python3 scripts/demo.py``.

The shipped network is adapted to the 64 unlabelled images of ``examples/nuclei_fluo_360``, once with each method below;
the 24 labelled images there, which no adaptation sees, tell what each was worth.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from demo_scores import dice_by_image, score, worst_images
from environment import ROOT
from PIL import Image

from monai_sfda import cli
from monai_sfda.delivery.verdict import WORDS, read_verdict
from monai_sfda.report import contact_sheet, outline_strip

BUNDLE = ROOT / "bundles" / "nuclei_fluorescence"
IMAGES = ROOT / "examples" / "nuclei_fluo_360"
LABELLED = IMAGES / "labelled"
# A quarter of the recipe's epochs at four times its rate, so that the demonstration ends within five minutes.
SHORT = {"epochs": 5, "learning_rate": 1e-4}
CONTROL = "bn_stats"  # trains no weights; in the table, and left out of the picture for room
METHODS: dict[str | None, dict[str, Any]] = {  # None: the bundle's default
    CONTROL: {},
    None: {"epochs": 8},
    "pseudo_label": SHORT,
    "pseudo_label_offline": SHORT,
}
SHOWN = 3  # images in the picture


def adapted(output: Path, method: str | None) -> dict[str, Any]:
    """Adapt with one method, and read the report of that."""
    settings = METHODS[method]
    print(f"\nAdapting to 64 unlabelled images: {method or 'the default method'} {settings or ''}", flush=True)
    cli.adapt(str(BUNDLE), str(IMAGES / "adapt"), output=str(output), method=method, **settings)
    return json.loads((output / "report.json").read_text())


def stretched(path: Path) -> np.ndarray:
    """A grey image as (H, W, 3) uint8, from its darkest to its brightest hundredth: most of these images are dim."""
    grey = np.asarray(Image.open(path), np.float32)
    low, high = np.percentile(grey, (1, 99))
    shown = np.uint8(255 * np.clip((grey - low) / max(high - low, 1), 0, 1))
    return np.stack([shown] * 3, axis=2)


def picture(bundles: dict[str, Path], scores: Path, output: Path) -> None:
    """Draw the images on which the source does worst: image, outlines and Dice of each network, reference."""
    masks = output.parent / "masks"
    for name, bundle in bundles.items():
        cli.predict(str(bundle), str(LABELLED / "image"), output=str(masks / name))
    dice = {name: dice_by_image(scores / name) for name in bundles}
    rows = []
    for image in worst_images(scores / "source", SHOWN):
        maps = {f"{name}: {100 * dice[name][image]:.0f} %": masks / name / "masks" / image for name in bundles}
        maps["reference"] = LABELLED / "mask" / image
        outlines = {caption: np.asarray(Image.open(file))[None] == 1 for caption, file in maps.items()}
        rows.append(outline_strip(stretched(LABELLED / "image" / image), outlines, tile=192))
    Image.fromarray(contact_sheet(rows, 1)).save(output, optimize=True)


def run(output: Path) -> None:
    bundles, verdicts, scores = {"source": BUNDLE}, {}, output / "scores"
    for method in METHODS:
        folder = output / "adapted" / (method or "default")
        report = adapted(folder, method)
        name = report["method"]["name"]
        bundles[name], verdicts[name] = folder / "bundle", read_verdict(report)
    print("\nScoring the networks on 24 labelled images that no adaptation saw", flush=True)
    dice = {name: score(bundle, LABELLED, scores / name)["nucleus"] for name, bundle in bundles.items()}
    sheet = output / "before_after.png"
    picture({name: bundle for name, bundle in bundles.items() if name != CONTROL}, scores, sheet)

    print(f"\n{'network':22}{'Dice %':>8}   verdict, which saw no label")
    for name in bundles:
        print(f"{name:22}{dice[name]:8.1f}   {WORDS[verdicts[name]['decision']] if name in verdicts else ''}")
    for name in [name for name in bundles if dice[name] < dice["source"]]:
        words = f"{WORDS[verdicts[name]['decision']]}: {verdicts[name]['sentence']}"
        print(f"\n{name} made the network worse, as the labelled images show. Its verdict, which saw no label: {words}")
    print(f"\nLook at {sheet} and open {output / 'adapted' / 'default' / 'report.html'}.")
    print(f"Your own images: .venv/bin/monai-sfda adapt {BUNDLE.relative_to(ROOT)} IMAGES --output DIR")
