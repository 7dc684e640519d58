"""What a pair needs before adaptation: a source network and, for some methods, class ratios and a denoiser."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from monai.bundle import ConfigParser
from monai.transforms import Compose, Resized

from monai_sfda.benchmark.job import carry_out, content_hash
from monai_sfda.benchmark.matrix import Pair
from monai_sfda.data import find_pairs
from monai_sfda.files import whole_file
from monai_sfda.imageio import MaskReader
from monai_sfda.overrides import read_json

__all__ = ["class_ratios", "source_denoiser", "source_network", "source_ratios", "supervised_network"]


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
        ratios, images = class_ratios(pair.source, channels, pair.bundle)
        with whole_file(file) as draft:
            draft.write_text(json.dumps({**of, "images": images, "ratios": ratios}, indent=4) + "\n")
    return file


def source_denoiser(pair: Pair, folder: Path) -> Path | None:
    """Denoiser of the label maps of ``pair.source``, or None for that of the bundle."""
    if not pair.source:
        return None
    places = {"dataset_dir": pair.source, "ckpt_dir": folder / "denoiser"}
    carry_out(folder / "denoiser", pair.bundle, [(["train_denoiser.json"], places)])
    return folder / "denoiser" / "model.pt"


def class_ratios(dataset: Path, channels: Mapping[str, Sequence[int]], bundle: Path) -> tuple[dict[str, float], int]:
    """Share of the pixels of labelled images that each channel takes.

    Args:
        dataset: labelled folder.
        channels: name -> class ids that belong to it.
        bundle: its train_denoiser.json, if it has one, says how masks are read: full photographs are cut as training
            and adaptation cut them.

    Returns:
        Mean over images of the share of each channel, in [0, 1], and the number of images.
    """
    read = _mask_reader(bundle, sorted({0}.union(*channels.values())))
    masks = (read(pair["label"]) for pair in find_pairs(dataset))
    shares = [[np.isin(mask, ids).mean() for ids in channels.values()] for mask in masks]
    means = np.mean(shares, axis=0)
    return {name: round(float(mean), 6) for name, mean in zip(channels, means, strict=True)}, len(shares)


def _mask_reader(bundle: Path, ids: Sequence[int]) -> Callable[[str], np.ndarray]:
    """From a file to class ids, as training sees them, at the size of the file."""
    config = bundle / "configs" / "train_denoiser.json"
    if not config.is_file():
        reader = MaskReader(ids=ids)
        return lambda file: np.asarray(reader.decode(Path(file)))
    parser = ConfigParser()
    parser.read_config(str(config))
    parser["label_reader::ids"] = list(ids)
    steps = Compose([step for step in parser.get_parsed_content("reading") if not isinstance(step, Resized)])

    def read(file: str) -> np.ndarray:
        try:
            return np.asarray(steps({"label": file})["label"])
        except RuntimeError as error:  # MONAI's, around the sentence of the reader
            raise error.__cause__ or error from None

    return read


def _train(pair: Pair, dataset: Path, folder: Path) -> Path:
    places: dict[str, Any] = {"dataset_dir": dataset, "ckpt_dir": folder}
    carry_out(folder, pair.bundle, [(["train.json"], {**pair.train, **places})])
    return folder / "model.pt"
