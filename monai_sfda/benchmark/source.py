"""Make what a pair needs before adaptation: a source network and, for some methods, class ratios and a denoiser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from monai.bundle import ConfigParser

from monai_sfda.benchmark.job import carry_out, content_hash
from monai_sfda.benchmark.matrix import Pair
from monai_sfda.json_file import read_json
from monai_sfda.training import channel_ids, class_ratios, labelled_pairs, write_ratios

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
    """Class ratios of ``pair.source``; None for those of the bundle, if it has any."""
    config = pair.bundle / "configs" / "train.json"
    if not pair.source or not config.is_file():
        return None
    parser = ConfigParser()
    parser.read_config(str(config))
    parser.update(dict(pair.train))
    file, channels = folder / "source_ratios.json", channel_ids(parser)
    of = {"source": content_hash(pair.source), "channels": channels}
    if not file.exists() or not of.items() <= read_json(file).items():
        how = {name: pair.train[name] for name in ("frames", "group") if name in pair.train}
        labelled = labelled_pairs(pair.source, pair.bundle, **how)
        write_ratios(file, **of, **class_ratios(labelled, channels, pair.bundle)._asdict())
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
