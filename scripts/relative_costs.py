"""Measure what the recipes cost relative to each other: ``python scripts/relative_costs.py``.

Adapts the nuclei bundle to a few images of ``examples`` with every recipe, once with one epoch and once with more, and
counts the time of the processor, which hardly depends on what else the computer does. Writes
``monai_sfda/recipe_costs.json``: for each recipe ``once`` (labels made beforehand, and the comparison with the source
network, two passes) and ``epoch``, in units of an epoch of bn_stats, which is one pass of the network.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from pathlib import Path

import fire
import torch

from monai_sfda import cli
from monai_sfda.console import one_sentence, quiet
from monai_sfda.files import whole_file
from monai_sfda.recipe_list import COSTS, FAST, recipe_names, uses_source

ROOT = Path(__file__).resolve().parent.parent
COMPARISON = 2  # passes
LEAST = 0.01  # seconds, where an epoch has nothing to do
MORE = 2  # epochs
MANY = 20  # where an epoch is a pass
BUNDLE, EXAMPLES = ROOT / "bundles" / "nuclei_fluorescence", ROOT / "examples" / "nuclei_fluo_360"


def main(images: int = 4) -> None:
    """Measure all recipes.

    Args:
        images: how many images to adapt to.
    """
    with one_sentence(), tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "images").mkdir()
        for path in sorted((EXAMPLES / "adapt").glob("*.png"))[:images]:
            shutil.copy(path, folder / "images")
        torch.set_num_threads(1)  # threads that wait for each other would be counted
        _seconds("bn_stats", 1, folder)  # what is loaded once is not counted
        names = recipe_names(BUNDLE)
        once, epoch = {}, {}
        for name in names:
            more = MANY if name in FAST else MORE
            first, last = (_seconds(name, epochs, folder) for epochs in (1, 1 + more))
            epoch[name] = max((last - first) / more, LEAST)
            once[name] = first - epoch[name]  # with what takes as long for any number of images, as bn_stats does
        unit = epoch["bn_stats"]
        before = {name: max(once[name] - once["bn_stats"], 0.0) for name in names}
        costs = {
            name: {"once": round(COMPARISON + before[name] / unit, 1), "epoch": round(epoch[name] / unit, 1)}
            for name in names
        }
        with whole_file(COSTS) as draft:
            draft.write_text(json.dumps(costs, indent=4) + "\n")


def _seconds(name: str, epochs: int, folder: Path) -> float:
    source = str(EXAMPLES / "labelled") if uses_source(BUNDLE, name) else None
    output, start = folder / "run", time.process_time()
    with quiet():
        cli.adapt(
            str(BUNDLE),
            str(folder / "images"),
            output=str(output),
            method=name,
            source=source,
            epochs=epochs,
            image_size=[128, 128],
        )
    shutil.rmtree(output)
    spent = time.process_time() - start
    print(f"{name}, {epochs} epoch(s): {spent:.1f} s", flush=True)
    return spent


if __name__ == "__main__":
    fire.Fire(main)
