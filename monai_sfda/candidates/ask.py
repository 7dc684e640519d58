"""Before outlines: all candidates segment all images, and the images to outline are drawn."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from monai_sfda.candidates.order import Drawn, draw_once, put_images
from monai_sfda.candidates.run import (
    SOURCE,
    Candidate,
    find_candidates,
    find_images_folder,
    find_source,
    running_options,
)
from monai_sfda.candidates.segment import kept_masks, segment
from monai_sfda.candidates.structures import Structures, read_structures
from monai_sfda.console import say_why
from monai_sfda.data import find_images
from monai_sfda.failures import clear_drafts

__all__ = ["Asked", "ask"]


class Asked(NamedTuple):
    """A run whose candidates have segmented all images."""

    candidates: dict[str, Candidate]
    """By name, the source network first."""
    masks: dict[str, dict[str, Path]]
    """Name of a candidate -> case -> its mask."""
    structures: Structures
    order: list[Drawn]
    """All images in the order of the drawing; empty if all candidates give the masks of the source network."""
    images: Path
    """Folder with copies of those that are to be outlined."""
    left_out: list[str]
    """A sentence about each candidate that cannot be compared."""


def ask(run: Path, *, device: str | None = None, precision: str | None = None) -> Asked:
    """Make all masks of a run, draw the images to outline, and copy them into ``run/outline/image``.

    What is there is not made again.

    Args:
        run: output folder of ``adapt --methods``.
        device: to compute on; by default that of the adaptation.
        precision: to compute in; by default that of the adaptation.

    Raises:
        FileNotFoundError: if the source bundle or the images have gone, or no candidate is finished.
        ValueError: if the source has other weights now, or no candidate can be compared with it.
    """
    for folder in ("choice", "outline"):
        clear_drafts(run / folder)
    source = find_source(run)
    finished, left_out = find_candidates(run)
    candidates, options = [source, *finished], running_options(run, {"device": device, "precision": precision})
    masks: dict[str, dict[str, Path]] = {}
    for number, candidate in enumerate(candidates, 1):
        made = kept_masks(candidate, run)
        try:
            if not made:
                print(f"{number} of {len(candidates)}: {candidate.name}", flush=True)
                made = segment(candidate, run, **options)
        except Exception as error:
            if candidate is source:
                raise
            left_out.append(f"{candidate.name} is left out: {say_why(error)}")
            continue
        if missing := len(masks.get(SOURCE, made).keys() - made.keys()):
            left_out.append(f"{candidate.name} is left out: it has no mask of {missing} images that the source has.")
        else:
            masks[candidate.name] = made
    if len(masks) == 1:
        raise ValueError(f"Expected a candidate to compare with the source network, found none: {left_out[0]}")
    structures = read_structures(source.bundle)
    order = draw_once(run, masks[SOURCE], lambda: _disagreement(masks, structures))
    images = put_images(run, order, lambda: {i["case"]: i["image"] for i in find_images(find_images_folder(run))})
    known = {candidate.name: candidate for candidate in candidates if candidate.name in masks}
    return Asked(known, masks, structures, order, images, left_out)


def _disagreement(masks: Mapping[str, Mapping[str, Path]], structures: Structures) -> dict[str, float]:
    """Of each image, 1 - mean Dice over structures with the source network, of the candidate that is farthest."""
    others = [name for name in masks if name != SOURCE]
    farthest = {}
    for case, path in tqdm(masks[SOURCE].items(), "comparing", unit="image", leave=False):
        source = structures.read(path)
        farthest[case] = max(1 - _mean_dice(structures.read(masks[name][case]), source) for name in others)
    return farthest


def _mean_dice(first: np.ndarray, second: np.ndarray) -> float:
    """Over structures, of which two empty masks agree; far faster than a score, for many large masks."""
    dice = []
    for one, other in zip(first, second, strict=True):
        total = np.count_nonzero(one) + np.count_nonzero(other)
        dice.append(2 * np.count_nonzero(one & other) / total if total else 1.0)
    return fmean(dice)
