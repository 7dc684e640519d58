"""Make what a pair needs before adaptation: a source network and, for some methods, class ratios and a denoiser."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from monai_sfda.benchmark.job import carry_out, content_hash
from monai_sfda.benchmark.matrix import Pair
from monai_sfda.data import find_pairs
from monai_sfda.files import whole_file
from monai_sfda.overrides import read_json
from monai_sfda.training import class_ratios

__all__ = ["source_denoiser", "source_network", "source_ratios", "supervised_network"]


def source_network(pair: Pair, folder: Path) -> Path:
    """Weights that every method starts from: given, trained on ``pair.source``, or the bundle's own."""
    if pair.checkpoint:
        return pair.checkpoint
    if not pair.source:
        return pair.bundle / "models" / "model.pt"
    return _train(pair, pair.source, folder / "source")


def supervised_network(pair: Pair, folder: Path) -> Path:
    """A network trained on the target's labels, as the source network is: the usual upper bound."""
    return _train(pair, pair.target, folder / "bound")


def source_ratios(pair: Pair, folder: Path) -> Path | None:
    """Class ratios of ``pair.source``, or None for those of the bundle, if it has any."""
    own = pair.bundle / "models" / "source_ratios.json"
    if not pair.source or not own.is_file():
        return None
    file = folder / "source_ratios.json"
    channels = read_json(own)["channels"]
    of = {"source": content_hash(pair.source), "channels": channels}
    if not file.exists() or not of.items() <= read_json(file).items():
        found = class_ratios(find_pairs(pair.source), channels, pair.bundle)
        with whole_file(file) as draft:
            draft.write_text(json.dumps({**of, **found._asdict()}, indent=4) + "\n")
    return file


def source_denoiser(pair: Pair, folder: Path) -> Path | None:
    """Denoiser of the label maps of ``pair.source``, or None for that of the bundle."""
    if not pair.source:
        return None
    places = {"dataset_dir": pair.source, "ckpt_dir": folder / "denoiser"}
    carry_out(folder / "denoiser", pair.bundle, [(["train_denoiser.json"], places)])
    return folder / "denoiser" / "model.pt"


def _train(pair: Pair, dataset: Path, folder: Path) -> Path:
    places: dict[str, Any] = {"dataset_dir": dataset, "ckpt_dir": folder}
    carry_out(folder, pair.bundle, [(["train.json"], {**pair.train, **places})])
    return folder / "model.pt"
