"""The control of choosing with a few outlines: the source network fine-tuned on the same outlines, cross-fitted.

    python scripts/fine_tune_control.py RUN OUTLINES --output DIR --epochs 20

RUN is the output of `monai-sfda adapt --methods`, in which `monai-sfda choose RUN` has drawn images; OUTLINES are those
that `choose RUN --outlines OUTLINES` takes. The outlines are cut into folds: the network that is scored on one has been
trained on the others alone, so no outline trains and judges. Prints the mean gain over the source network for all
images of the run, with an interval, to be set beside the table of `choose`. Further options go to train.json.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import fire
import numpy as np
from PIL import Image

from monai_sfda.candidates.candidate import Candidate
from monai_sfda.candidates.order import Drawn
from monai_sfda.candidates.outlines import Outlines, read_outlines
from monai_sfda.candidates.run import find_source, running_options
from monai_sfda.candidates.structures import Structures, read_structures
from monai_sfda.choice import case_gains, drawn_in_order, estimate_gain, interval, weights
from monai_sfda.console import one_sentence
from monai_sfda.files import without_suffix
from monai_sfda.tables import read_csv
from monai_sfda.workflow import run_configs

FEWEST = 4
"""Images that train.json takes."""

Scores = dict[str, dict[str, float]]
"""Case -> structure -> Dice, nan where mask and outline are both empty."""


def main(run: str, outlines: str, *, output: str, folds: int = 4, epochs: int = 20, **training: Any) -> None:
    """Train and score each fold once; a fold whose scores are there is not trained again.

    Args:
        run: output folder of `monai-sfda adapt --methods`.
        outlines: folder with the outlines.
        output: folder to write.
        folds: parts that the outlines are cut into.
        epochs: of each training.
        training: any value of train.json, such as learning_rate.
    """
    with one_sentence():
        folder, target = Path(run), Path(output)
        source = find_source(folder)
        structures = read_structures(source.bundle)
        if structures.volumes:
            raise ValueError("Expected a run on pictures, found one on volumes; this control takes pictures only.")
        order = [
            Drawn(row["case"], float(row["disagreement"]), row["image"])
            for row in read_csv(folder / "outline" / "order.csv")
        ]
        found = read_outlines(outlines, order, folder / "outline" / "image", structures)
        cases = list(found.masks)
        if folds < 2 or len(cases) - len(cases[::folds]) < FEWEST:
            raise ValueError(
                f"Expected at least 2 folds of which each leaves {FEWEST} outlines to train on, found {folds} of "
                f"{len(cases)} outlines; outline more, or give more folds."
            )
        places = {drawn.case: folder / "outline" / "image" / drawn.image for drawn in order}
        write_labelled(target / "all", cases, found, places, structures)
        options = running_options(folder, {})
        before = score(source, target / "all", target / "source", options)
        after: Scores = {}
        for fold in range(folds):
            held = cases[fold::folds]
            home = target / f"fold_{fold}"
            write_labelled(home / "others", [case for case in cases if case not in held], found, places, structures)
            write_labelled(home / "held", held, found, places, structures)
            after |= fine_tuned(source, home, options, {"epochs": epochs, **training})
        print_gains(order, found, structures, before, after)


def write_labelled(
    folder: Path, cases: Sequence[str], found: Outlines, places: Mapping[str, Path], structures: Structures
) -> None:
    """Images and label maps as train.json and evaluate.json read them."""
    for name in ("image", "mask"):
        shutil.rmtree(folder / name, ignore_errors=True)
        (folder / name).mkdir(parents=True)
    for case in cases:
        shutil.copyfile(places[case], folder / "image" / places[case].name)
        Image.fromarray(label_map(found.masks[case], structures)).save(
            folder / "mask" / f"{without_suffix(places[case].name)}.png"
        )


def label_map(channels: np.ndarray, structures: Structures) -> np.ndarray:
    """(K, H, W) bool -> (H, W) class ids, of which each pixel has the one with just its structures."""
    ids = np.zeros(channels.shape[1:], np.uint8)
    for number in structures.known_ids():
        ids[np.all([mask == (number in own) for mask, own in zip(channels, structures.ids, strict=True)], 0)] = number
    return ids


def fine_tuned(source: Candidate, home: Path, options: Mapping[str, Any], training: Mapping[str, Any]) -> Scores:
    """Train on ``home/others`` from the source weights, score on ``home/held``."""
    weights_file, table = home / "models" / "model.pt", home / "scores" / "cases.csv"
    if not table.is_file():
        values = {"val_interval": 1, "val_share": 0.25, **source.options, **options, **training}
        run_configs(source.bundle, ["train.json"], dataset_dir=home / "others", ckpt_dir=weights_file.parent, **values)
    tuned = source._replace(weights=weights_file, options={**source.options, "checkpoint": weights_file})
    return score(tuned, home / "held", home / "scores", options)


def score(network: Candidate, labelled: Path, folder: Path, options: Mapping[str, Any]) -> Scores:
    """Dice of a network on labelled images; scores that are there are read."""
    if not (folder / "cases.csv").is_file():
        places = {"dataset_dir": labelled, "output_dir": folder}
        run_configs(network.bundle, ["inference.json", "evaluate.json"], **network.options, **options, **places)
    return {
        row["case"]: {
            name.removesuffix("_dice"): float(value or "nan") for name, value in row.items() if "_dice" in name
        }
        for row in read_csv(folder / "cases.csv")
    }


def print_gains(order: Sequence[Drawn], found: Outlines, structures: Structures, before: Scores, after: Scores) -> None:
    """One line per structure, in points of Dice."""
    able = {drawn.case: drawn.disagreement for drawn in order if drawn.case not in found.skipped}
    names = {drawn.case: drawn.image for drawn in order}
    counts = weights(drawn_in_order(list(found.masks), able), len(able))
    for structure in structures.names:
        rows = [[scores[names[case]][structure] for case in found.masks] for scores in (after, before)]
        gain = estimate_gain(case_gains(*rows).values, weights=counts, total=len(able))
        low, high = interval(gain)
        print(
            f"fine-tuned  {structure}  {100 * gain.mean:+.1f} ({100 * low:+.1f} to {100 * high:+.1f}) points on "
            f"{gain.count} outlines"
        )


if __name__ == "__main__":
    fire.Fire(main)
