"""What a pair needs before adaptation: a source network and, for some methods, class ratios and a denoiser."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from monai_sfda.benchmark.job import carry_out
from monai_sfda.benchmark.matrix import Pair
from monai_sfda.data import find_pairs
from monai_sfda.files import whole_file
from monai_sfda.overrides import read_json
from monai_sfda.transforms import MaskReader

__all__ = ["class_ratios", "source_denoiser", "source_network", "source_ratios", "supervised_network"]


def source_network(pair: Pair, folder: Path) -> Path:
    """Weights that every method starts from: given, trained on ``pair.source``, or the bundle's own."""
    if pair.checkpoint:
        return pair.checkpoint
    if not pair.source:
        return pair.bundle / "models" / "model.pt"
    return _train(pair, pair.source, folder / "source")


def supervised_network(pair: Pair, folder: Path) -> Path:
    """A network trained on the target's labels, as the source network is: the bound that no method should pass."""
    return _train(pair, pair.target, folder / "bound")


def source_ratios(pair: Pair, folder: Path) -> Path | None:
    """Class ratios of ``pair.source``, or None for those of the bundle."""
    if not pair.source:
        return None
    file = folder / "source_ratios.json"
    if not file.exists():
        channels = read_json(pair.bundle / "models" / "source_ratios.json")["channels"]
        ratios, images = class_ratios(pair.source, channels)
        with whole_file(file) as draft:
            draft.write_text(json.dumps({"images": images, "channels": channels, "ratios": ratios}, indent=4) + "\n")
    return file


def source_denoiser(pair: Pair, folder: Path) -> Path | None:
    """Denoiser of the label maps of ``pair.source``, or None for that of the bundle."""
    if not pair.source:
        return None
    places = {"dataset_dir": pair.source, "ckpt_dir": folder / "denoiser"}
    carry_out(folder / "denoiser", pair.bundle, [(["train_denoiser.json"], places)])
    return folder / "denoiser" / "model.pt"


def class_ratios(dataset: Path, channels: Mapping[str, Sequence[int]]) -> tuple[dict[str, float], int]:
    """Share of the pixels of labelled images that each channel takes.

    Args:
        dataset: labelled folder.
        channels: name -> class ids that belong to it.

    Returns:
        Mean over images of the share of each channel, in [0, 1], and the number of images.
    """
    reader = MaskReader(ids=sorted({0}.union(*channels.values())))
    shares = [
        [np.isin(mask, ids).mean() for ids in channels.values()]
        for mask in (np.asarray(reader.decode(Path(pair["label"]))) for pair in find_pairs(dataset))
    ]
    means = np.mean(shares, axis=0)
    return {name: round(float(mean), 6) for name, mean in zip(channels, means, strict=True)}, len(shares)


def _train(pair: Pair, dataset: Path, folder: Path) -> Path:
    places: dict[str, Any] = {"dataset_dir": dataset, "ckpt_dir": folder}
    carry_out(folder, pair.bundle, [(["train.json"], {**pair.train, **places})])
    return folder / "model.pt"
