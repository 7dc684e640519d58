"""Measure the share of the pixels that each structure takes in labelled images."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from monai.bundle import ConfigParser
from monai.data import Dataset
from monai.transforms import Compose, Resized

from monai_sfda.files import whole_file
from monai_sfda.imageio import MaskReader
from monai_sfda.overrides import read_json
from monai_sfda.volumes import ReadVolumePair, VolumeParts

__all__ = ["Ratios", "class_ratios", "write_ratios"]


class Ratios(NamedTuple):
    """Share of the pixels of labelled images that each channel takes; of volumes, of what the network sees."""

    ratios: dict[str, float]
    """Mean over images, in [0, 1]."""
    spread: dict[str, float]
    """Standard deviation over images."""
    images: int


def class_ratios(pairs: Iterable[Mapping[str, str]], channels: Mapping[str, Sequence[int]], bundle: Path) -> Ratios:
    """Measure how large the channels are in labelled images.

    Args:
        pairs: labelled images or volumes, as `monai_sfda.data.find_pairs` lists them.
        channels: name -> class ids that belong to it.
        bundle: its train_denoiser.json, if it has one, says how masks are read: full photographs are cut as training
            and adaptation cut them.
    """
    masks = _masks(pairs, sorted({0}.union(*channels.values())), bundle)
    shares = [[np.isin(mask, ids).mean() for ids in channels.values()] for mask in masks]
    means, spreads = (
        {name: round(float(value), 6) for name, value in zip(channels, statistic(shares, axis=0), strict=True)}
        for statistic in (np.mean, np.std)
    )
    return Ratios(means, spreads, len(shares))


def write_ratios(path: str | os.PathLike, **facts: Any) -> None:
    """Write a ``source_ratios.json``: ``data`` (what the images are), ``channels``, and what `Ratios` holds."""
    with whole_file(path) as draft:
        draft.write_text(json.dumps(facts, indent=4) + "\n", encoding="utf-8")


def _masks(pairs: Iterable[Mapping[str, str]], ids: Sequence[int], bundle: Path) -> Iterator[np.ndarray]:
    """Class ids of each image that training sees."""
    task = bundle / "configs" / "task.json"
    if not task.is_file() or "volumes" not in read_json(task):
        read = _mask_reader(bundle, ids)
        return (read(pair["label"]) for pair in pairs)
    parser = ConfigParser(read_json(task))
    volumes = Dataset(list(pairs), ReadVolumePair(parser.get_parsed_content("volumes"), ids))
    parts = VolumeParts(volumes, parser["image_size"], progress=False)
    return (parts[number]["label"].numpy() for number in range(len(parts)))


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
