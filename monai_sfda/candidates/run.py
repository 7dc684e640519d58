"""What the output of ``adapt --methods`` holds: the source network, its images, and a candidate for each method."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from monai_sfda.candidates.candidate import SOURCE, Candidate
from monai_sfda.files import sha256
from monai_sfda.json_file import read_json, write_json
from monai_sfda.overrides import path_of
from monai_sfda.places import real_path

__all__ = [
    "find_candidates",
    "find_images_folder",
    "find_source",
    "read_record",
    "reading_options",
    "record_source",
    "running_options",
    "write_record",
]

RECORD = "choice.json"
KEPT = ("image_size", "cutoff")  # and network_def: options of an adaptation that the adapted bundle keeps
READING = ("frames", "group", "reader")  # which images there are, and how they are read
NEEDED = ("inference.json", "predict.json", "evaluate.json", "metadata.json")
RUNNING = ("device", "precision")  # how the computer computes, which no bundle keeps


def record_source(run: Path, *, bundle: Path, images: str | os.PathLike, overrides: Mapping[str, Any]) -> None:
    """Keep in ``run/choice.json`` what is adapted to what, and by which options.

    Args:
        run: output folder of ``adapt --methods``.
        bundle: the source bundle.
        images: folder of the images.
        overrides: options of the adaptation.

    Raises:
        FileNotFoundError: if the source has no weights.
        ValueError: if the run is of other weights, images or options.
    """
    weights = Path(overrides.get("checkpoint") or bundle / "models" / "model.pt")
    if not weights.is_file():
        raise FileNotFoundError(f"Expected the weights of the network at {weights}, found no file; give --checkpoint.")
    kept = {name: value for name, value in overrides.items() if name in KEPT or path_of(name)[0] == "network_def"}
    reading = {name: value for name, value in overrides.items() if path_of(name)[0] in READING}
    now = {
        "source": {
            "bundle": _place(bundle, run),
            "weights": _place(weights, run),
            "sha256": sha256(weights),
            "options": json.loads(json.dumps(kept)),
        },
        "images": _place(images, run),
        "reading": json.loads(json.dumps(reading)),
        "running": {name: value for name, value in overrides.items() if name in RUNNING and isinstance(value, str)},
    }
    before = read_record(run) if (run / RECORD).is_file() else now
    if before["source"]["sha256"] != now["source"]["sha256"] or before["images"]["absolute"] != real_path(images):
        raise ValueError(
            f"Expected the source weights and the images that {run} was begun with, found others; choose another "
            "--output."
        )
    then, given = ({**one["source"]["options"], **one["reading"]} for one in (before, now))
    if then != given:
        other = sorted(name for name in {*then, *given} if then.get(name) != given.get(name))
        raise ValueError(
            f"Expected the options that {run} was begun with, found others ({', '.join(other)}); give the same, or "
            "choose another --output."
        )
    write_record(run, {**before, **now})


def write_record(run: Path, record: Mapping[str, Any]) -> None:
    """Write ``run/choice.json``."""
    write_json(run / RECORD, record, allow_nan=False)


def read_record(run: Path) -> dict[str, Any]:
    """Read ``run/choice.json``.

    Raises:
        ValueError: if it is not what `record_source` wrote.
    """
    record = read_json(run / RECORD)
    try:
        known = {"bundle", "weights", "sha256", "options"} <= set(record["source"]) and "absolute" in record["images"]
    except (TypeError, KeyError):
        known = False
    if not known:
        raise ValueError(
            f"Expected {run / RECORD} as monai-sfda adapt --methods wrote it, found other content; delete it and "
            "repeat the adapt command."
        )
    return record


def find_source(run: Path) -> Candidate:
    """The source bundle of a run, with the weights that were adapted.

    Raises:
        FileNotFoundError: if it is no longer where it was.
        ValueError: if it has other weights now.
    """
    source = read_record(run)["source"]
    found = "none"
    for bundle, weights in zip(_places(source["bundle"], run), _places(source["weights"], run), strict=True):
        if (bundle / "configs" / "inference.json").is_file() and weights.is_file():
            if sha256(weights) == source["sha256"]:
                return Candidate(SOURCE, bundle, weights, {**source["options"], "checkpoint": weights})
            found = "other weights"
    kind = FileNotFoundError if found == "none" else ValueError
    raise kind(
        f"Expected the source bundle of {run} at {source['bundle']['absolute']}, with the weights that were adapted, "
        f"found {found}; put it back, or repeat the adapt command with its new place."
    )


def find_images_folder(run: Path) -> Path:
    """The folder of the images that a run was adapted to.

    Raises:
        FileNotFoundError: if it is no longer where it was.
    """
    place = read_record(run)["images"]
    for folder in _places(place, run):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f"Expected the images of {run} at {place['absolute']}, found none; put them back there.")


def find_candidates(run: Path) -> tuple[list[Candidate], list[str]]:
    """The finished candidates of a run, by name, and a sentence about each of the others.

    Raises:
        FileNotFoundError: if there is none.
    """
    finished, others = [], []
    for folder in sorted(path for path in (run / "candidates").glob("*") if path.is_dir()):
        bundle = folder / "bundle"
        weights = bundle / "models" / "model.pt"
        if not (folder / "report.json").is_file():
            others.append(f"{folder.name} is not finished and is left out; repeat the adapt command to finish it.")
        elif not all(path.is_file() for path in (weights, *(bundle / "configs" / name for name in NEEDED))):
            others.append(
                f"{folder.name} has lost files of its bundle and is left out; delete its folder in candidates and "
                "repeat the adapt command."
            )
        else:
            finished.append(Candidate(folder.name, bundle, weights, {}))
    if not finished:
        found = f"none ({others[0]})" if others else "none; repeat the adapt command."
        raise FileNotFoundError(f"Expected a finished candidate in {run / 'candidates'}, found {found}")
    return finished, others


def reading_options(run: Path) -> dict[str, Any]:
    """How the adaptation found and read its images."""
    return dict(read_record(run).get("reading", {}))


def running_options(run: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    """How to compute: as the adaptation did, unless something else is given now."""
    return {
        **read_record(run).get("running", {}),
        **{name: value for name, value in given.items() if value is not None},
    }


def _place(path: str | os.PathLike, run: Path) -> dict[str, str]:
    """Where a file is, twice: found again if all was moved together, and if only the run was."""
    absolute = real_path(path)
    try:
        relative = os.path.relpath(absolute, real_path(run))
    except ValueError:  # another drive of Windows
        relative = absolute
    return {"relative": Path(relative).as_posix(), "absolute": absolute}


def _places(place: Mapping[str, str], run: Path) -> list[Path]:
    return [Path(real_path(Path(real_path(run)) / place["relative"])), Path(place["absolute"])]
