"""Fine-tuning on the outlines as a candidate: what else a few outlines are good for.

Cross-fitted: the outlines are cut into folds, and the masks of a fold are those of a network that has learned from the
others alone, so that no outline trains and judges. What is delivered has learned from all.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from monai.bundle import ConfigParser
from PIL import Image

from monai_sfda.candidates.ask import Asked
from monai_sfda.candidates.candidate import SOURCE, Candidate
from monai_sfda.candidates.outlines import Outlines
from monai_sfda.candidates.structures import Structures
from monai_sfda.console import say_why
from monai_sfda.delivery import write_bundle
from monai_sfda.files import sha256, without_suffix
from monai_sfda.json_file import read_json, write_json
from monai_sfda.networks import load_network
from monai_sfda.overrides import path_of
from monai_sfda.passport import read_passport, write_passport
from monai_sfda.tables import read_csv
from monai_sfda.workflow import run_configs

__all__ = ["FINE_TUNED", "can_fine_tune", "cross_fit", "label_map", "train_on_all"]

FINE_TUNED = "fine-tuned"
MADE_OF = "made_of.json"
FOLDS = 4
FEWEST = 4
"""Images that train.json takes."""
TRAINING = {"val_interval": 1, "val_share": 0.25}
"""The epoch is chosen on a quarter of the images that a network is trained on."""


def cross_fit(run: Path, asked: Asked, outlines: Outlines, epochs: int) -> Asked:
    """The same run with one candidate more, which has masks of the outlined images only.

    What was trained on the same outlines is not trained again.

    Args:
        run: the run.
        asked: its candidates.
        outlines: what can be used of them.
        epochs: of each training.
    """
    cases = list(outlines.masks)
    if not can_fine_tune(asked, outlines):
        why = f"it takes {FEWEST + FEWEST // 2} outlines, and {len(cases)} count"
        if asked.structures.volumes:
            why = "it takes pictures, and this run is on volumes"
        return asked._replace(left_out=[*asked.left_out, f"{FINE_TUNED} is left out: {why}."])
    masks: dict[str, Path] = {}
    try:
        for fold in range(FOLDS):
            held = cases[fold::FOLDS]
            others = [case for case in cases if case not in held]
            print(f"Fine-tuning on {len(others)} of {len(cases)} outlines: {fold + 1} of {FOLDS}", flush=True)
            home = _trained(run, asked, outlines, others, f"fold_{fold}", epochs)
            masks |= _masks(home, run, asked, held)
    except Exception as error:
        return asked._replace(left_out=[*asked.left_out, f"{FINE_TUNED} is left out: {say_why(error)}"])
    bundle = _folder(run, "all") / "bundle"
    weights = bundle / "models" / "model.pt"
    tuned = Candidate(FINE_TUNED, bundle, weights, _options(asked.candidates[SOURCE], weights))
    return asked._replace(
        candidates={**asked.candidates, FINE_TUNED: tuned},
        masks={**asked.masks, FINE_TUNED: masks},
        same={structure: {**same, FINE_TUNED: FINE_TUNED} for structure, same in asked.same.items()},
    )


def can_fine_tune(asked: Asked, outlines: Outlines) -> bool:
    """Whether each of the trainings gets enough images."""
    cases = list(outlines.masks)
    return not asked.structures.volumes and len(cases) - len(cases[::FOLDS]) >= FEWEST


def train_on_all(run: Path, asked: Asked, outlines: Outlines, epochs: int) -> None:
    """Make the bundle of the candidate of `cross_fit`."""
    cases, source = list(outlines.masks), asked.candidates[SOURCE]
    print(f"Fine-tuning on all {len(cases)} outlines", flush=True)
    home = _trained(run, asked, outlines, cases, "all", epochs)
    weights = home / "models" / "model.pt"
    facts = read_passport(weights)
    network = ConfigParser({"network": source.network_def()}).get_parsed_content("network")
    record = {"method": FINE_TUNED, "outlined": len(cases), "settings": {"epochs": epochs, **TRAINING}}
    bundle = write_bundle(source.bundle, home / "bundle", load_network(network, weights), record)
    write_passport(bundle / "models" / "model.pt", **facts)


def _trained(run: Path, asked: Asked, outlines: Outlines, cases: Sequence[str], name: str, epochs: int) -> Path:
    """The folder of a network that has learned from the outlines of ``cases``, beginning with the source network."""
    home, source = _folder(run, name), asked.candidates[SOURCE]
    draft = home.with_name(f"{name}.part")
    shutil.rmtree(draft, ignore_errors=True)
    _write_labelled(draft / "labelled", asked, outlines, cases)
    files = {
        path.relative_to(draft).as_posix(): sha256(path) for path in (draft / "labelled").rglob("*") if path.is_file()
    }
    made_of = {"source": sha256(source.weights), "epochs": epochs, "files": dict(sorted(files.items()))}
    if (home / MADE_OF).is_file() and read_json(home / MADE_OF) == made_of:
        shutil.rmtree(draft)
        return home
    write_json(draft / MADE_OF, made_of, indent=None)
    known = read_json(source.bundle / "configs" / "train.json")
    given = {**_options(source, source.weights), **asked.options, **TRAINING, "epochs": epochs}
    values = {option: value for option, value in given.items() if path_of(option)[0] in known}
    places = {"dataset_dir": draft / "labelled", "ckpt_dir": draft / "models"}
    run_configs(source.bundle, ["train.json"], **{**values, **places})
    shutil.rmtree(home, ignore_errors=True)
    draft.rename(home)
    return home


def _masks(home: Path, run: Path, asked: Asked, held: Sequence[str]) -> dict[str, Path]:
    """Case -> mask by a trained network, made once."""
    source, folder, images = asked.candidates[SOURCE], home / "held", _copies(asked)
    if not all((folder / "image" / images[case].name).is_file() for case in held):
        shutil.rmtree(folder, ignore_errors=True)
        draft = home / "held.part"
        shutil.rmtree(draft, ignore_errors=True)
        (draft / "image").mkdir(parents=True)
        for case in held:
            shutil.copyfile(images[case], draft / "image" / images[case].name)
        places = {"dataset_dir": draft / "image", "results_dir": draft}
        options = {**_options(source, home / "models" / "model.pt"), **asked.options}
        run_configs(source.bundle, ["inference.json", "predict.json"], **{**options, **places})
        draft.rename(folder)
    masks = {row["file"]: folder / "masks" / row["mask"] for row in read_csv(folder / "results.csv", ["file", "mask"])}
    return {case: masks[images[case].name] for case in held}


def _write_labelled(folder: Path, asked: Asked, outlines: Outlines, cases: Sequence[str]) -> None:
    """Images and label maps as train.json reads them."""
    for name in ("image", "mask"):
        (folder / name).mkdir(parents=True)
    for case, image in _copies(asked).items():
        if case in cases:
            shutil.copyfile(image, folder / "image" / image.name)
            mask = Image.fromarray(label_map(outlines.masks[case], asked.structures))
            mask.save(folder / "mask" / f"{without_suffix(image.name)}.png")


def label_map(channels: np.ndarray, structures: Structures) -> np.ndarray:
    """(K, H, W) bool -> (H, W) class ids, of which each pixel has the one with just its structures."""
    ids = np.zeros(channels.shape[1:], np.uint8)
    for number in structures.known_ids():
        ids[np.all([mask == (number in own) for mask, own in zip(channels, structures.ids, strict=True)], 0)] = number
    return ids


def _copies(asked: Asked) -> dict[str, Path]:
    return {drawn.case: asked.images / drawn.image for drawn in asked.order if drawn.image}


def _options(source: Candidate, weights: Path) -> dict[str, Any]:
    """Those of the source network, but for the cut-offs: each training fits its own."""
    return {**{name: value for name, value in source.options.items() if name != "cutoff"}, "checkpoint": weights}


def _folder(run: Path, name: str) -> Path:
    return run / "choice" / "fine_tuned" / name
