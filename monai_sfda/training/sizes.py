"""A table of the sizes of classes for each image or slice, in the format released with AdaMI (Bateson et al., 2022)."""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from monai_sfda.data import find_images
from monai_sfda.files import whole_file
from monai_sfda.json_file import read_json
from monai_sfda.training.class_ratios import labelled_pairs, masks_of, sees_volumes, volume_parts
from monai_sfda.volumes import find_volumes

__all__ = ["COLUMNS", "write_sizes"]

COLUMNS = ("val_ids", "dumbpredwtags", "dumbprednotags")
"""Case, sizes where an image-level label says which classes are absent, and sizes without such labels."""


def write_sizes(
    path: str | os.PathLike, source: Path, images: Path, channels: Mapping[str, Sequence[int]], bundle: Path
) -> dict[str, int]:
    """Write the sizes of the classes in each of ``images``, estimated from the labelled ``source``.

    The size of a class is its mean over those source images that show it, as in the released tables; the background
    takes the rest. Without masks of ``images`` there is no column ``dumbpredwtags``. Masks of ``images`` give nothing
    but that column: image-level labels, which `monai_sfda.losses.RatioTable` wants to be declared. The released column
    of the true sizes is not written.

    Args:
        path: the table, separated by ``;``.
        source: labelled folder.
        images: folder of images or volumes, whose cases are those of an adaptation to it; labelled for tags.
        channels: name -> class ids of exclusive classes, the background first.
        bundle: its task says what its network sees, and how large that is in pixels.

    Returns:
        Class -> size in pixels.

    Raises:
        ValueError: if the classes overlap, the first is not the background, or the source never shows one.
        OSError: if a folder is missing or holds no image.
    """
    ids = [number for numbers in channels.values() for number in numbers]
    first = next(iter(channels.values()))
    if list(first) != [0] or len(set(ids)) < len(ids):
        raise ValueError(
            "Expected exclusive classes with the background first for a table of sizes, found others; give them as "
            "background=0 rim=1 cup=2."
        )
    pixels = math.prod(read_json(bundle / "configs" / "task.json")["image_size"])
    sizes = _sizes(source, channels, bundle, pixels)
    wanted = list(sizes.values())[1:]
    labelled = all((images / name).is_dir() for name in ("image", "mask"))
    columns = COLUMNS if labelled else (COLUMNS[0], COLUMNS[2])
    with whole_file(path) as draft, open(draft, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, delimiter=";", lineterminator="\n")
        writer.writeheader()
        for case, present in _shown(images, channels, bundle, labelled):
            row = {"val_ids": case, "dumbprednotags": _cell(wanted, pixels)}
            if present is not None:
                row["dumbpredwtags"] = _cell(
                    [size * shown for size, shown in zip(wanted, present, strict=True)], pixels
                )
            writer.writerow(row)
    return sizes


def _sizes(source: Path, channels: Mapping[str, Sequence[int]], bundle: Path, pixels: int) -> dict[str, int]:
    """Class -> pixels, the background's what the others leave."""
    shares: dict[str, list[float]] = {name: [] for name in list(channels)[1:]}
    for _, mask in masks_of(labelled_pairs(source, bundle), _ids(channels), bundle):
        for name, those in shares.items():
            share = float(np.isin(mask, channels[name]).mean())
            if share:
                those.append(share)
    if lacking := [name for name, those in shares.items() if not those]:
        raise ValueError(f"Expected {lacking[0]} in a mask of {source}, found it in none; correct the class ids.")
    sizes = {name: round(pixels * sum(those) / len(those)) for name, those in shares.items()}
    return {next(iter(channels)): pixels - sum(sizes.values()), **sizes}


def _shown(
    images: Path, channels: Mapping[str, Sequence[int]], bundle: Path, labelled: bool
) -> Iterator[tuple[str, list[bool] | None]]:
    """Each case, and which classes after the background it shows; None where nobody knows."""
    if labelled:
        for case, mask in masks_of(labelled_pairs(images, bundle), _ids(channels), bundle):
            yield case, [bool(np.isin(mask, those).any()) for those in list(channels.values())[1:]]
    elif sees_volumes(bundle):
        parts = volume_parts(find_volumes(images), bundle / "configs" / "task.json")
        yield from ((parts[number]["case"], None) for number in range(len(parts)))
    else:
        yield from ((item["case"], None) for item in find_images(images))


def _ids(channels: Mapping[str, Sequence[int]]) -> list[int]:
    return sorted({number for those in channels.values() for number in those})


def _cell(sizes: Sequence[int], pixels: int) -> str:
    return str([pixels - sum(sizes), *sizes])
