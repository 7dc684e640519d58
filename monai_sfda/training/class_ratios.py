"""Measure the share of the pixels that each structure takes in labelled images."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from monai.bundle import ConfigParser
from monai.data import Dataset
from monai.transforms import Compose, Resized

from monai_sfda.data import find_pairs
from monai_sfda.files import case_of
from monai_sfda.imageio import MaskReader
from monai_sfda.json_file import read_json, write_json
from monai_sfda.volumes import ReadVolumed, ReadVolumePair, VolumeParts, find_volume_pairs

__all__ = ["Ratios", "class_ratios", "masks_of", "volume_parts", "write_ratios"]


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
    masks = masks_of(pairs, sorted({0}.union(*channels.values())), bundle)
    shares = [[np.isin(mask, ids).mean() for ids in channels.values()] for _, mask in masks]
    means, spreads = (
        {name: round(float(value), 6) for name, value in zip(channels, statistic(shares, axis=0), strict=True)}
        for statistic in (np.mean, np.std)
    )
    return Ratios(means, spreads, len(shares))


def write_ratios(path: str | os.PathLike, **facts: Any) -> None:
    """Write a ``source_ratios.json``: ``data`` (what the images are), ``channels``, and what `Ratios` holds."""
    write_json(path, facts, indent=4)


def sees_volumes(bundle: Path) -> bool:
    """Whether the network of a bundle sees volumes, or slices of them; without a task.json nobody says so."""
    task = bundle / "configs" / "task.json"
    return task.is_file() and "volumes" in read_json(task)


def labelled_pairs(folder: Path, bundle: Path, **how: Any) -> list[dict[str, Any]]:
    """The labelled images of a folder, or volumes, as the bundle trains on them; ``how`` as of `find_volume_pairs`."""
    return find_volume_pairs(folder, **how) if sees_volumes(bundle) else find_pairs(folder)


def masks_of(pairs: Iterable[Mapping[str, str]], ids: Sequence[int], bundle: Path) -> Iterator[tuple[str, np.ndarray]]:
    """Case and class ids of each image that training sees; of volumes, of each part that the network sees.

    Args:
        pairs: as of `class_ratios`.
        ids: class ids that may be in a mask, with 0.
        bundle: as of `class_ratios`.
    """
    if not sees_volumes(bundle):
        read = _mask_reader(bundle, ids)
        return ((case_of(pair), read(pair["label"])) for pair in pairs)
    parts = volume_parts(pairs, bundle / "configs" / "task.json", ids)
    return ((part["case"], part["label"].numpy()) for part in (parts[number] for number in range(len(parts))))


def volume_parts(items: Iterable[Mapping[str, str]], task: Path, ids: Sequence[int] | None = None) -> VolumeParts:
    """What the network of a task sees of volumes, with their labels if there are ``ids``."""
    parser = ConfigParser(read_json(task))
    reader = parser.get_parsed_content("volumes")
    read = ReadVolumed("image", reader, dtype=torch.uint8) if ids is None else ReadVolumePair(reader, ids)
    return VolumeParts(Dataset(list(items), read), parser["image_size"], progress=False)


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
