"""The masks of a candidate: made once, by the bundle's own configs, and kept."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from monai_sfda.candidates.run import Candidate, find_images_folder
from monai_sfda.files import sha256
from monai_sfda.overrides import read_json
from monai_sfda.tables import read_csv
from monai_sfda.workflow import run_configs

__all__ = ["kept_masks", "segment"]


def segment(candidate: Candidate, run: Path, **options: Any) -> dict[str, Path]:
    """Segment every image of a run as ``monai-sfda predict`` does; a mask that is there is not made again.

    Args:
        candidate: the network; masks that other weights made under its name are deleted.
        run: receives what a prediction writes, in ``choice/masks/NAME``.
        options: how to compute, such as ``device``.

    Returns:
        case -> its mask; images that could not be read have none.
    """
    folder = _folder(candidate, run)
    if not _made_by(candidate, folder):
        shutil.rmtree(folder, ignore_errors=True)
    places = {"dataset_dir": find_images_folder(run), "results_dir": folder}
    run_configs(candidate.bundle, ["inference.json", "predict.json"], **candidate.options, **options, **places)
    return _masks(folder)


def kept_masks(candidate: Candidate, run: Path) -> dict[str, Path]:
    """What `segment` gave before; empty unless it was finished with these weights, and all masks are still there."""
    folder = _folder(candidate, run)
    masks = _masks(folder) if _made_by(candidate, folder) else {}
    return masks if all(path.is_file() for path in masks.values()) else {}


def _folder(candidate: Candidate, run: Path) -> Path:
    return run / "choice" / "masks" / candidate.name


def _made_by(candidate: Candidate, folder: Path) -> bool:
    record = folder / "masks_of.json"
    return record.is_file() and read_json(record).get("weights") == sha256(candidate.weights)


def _masks(folder: Path) -> dict[str, Path]:
    """Those of a finished prediction, which writes ``summary.json`` after the table."""
    if not (folder / "summary.json").is_file():
        return {}
    rows = read_csv(folder / "results.csv", ["file", "mask"])
    return {row["file"]: folder / "masks" / row["mask"] for row in rows if row["mask"]}
