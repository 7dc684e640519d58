"""Scores of the candidates' masks on the outlines."""

from __future__ import annotations

import math
from collections.abc import Mapping
from statistics import fmean
from typing import Any

import numpy as np
from torch import from_numpy

from monai_sfda.candidates.ask import Asked
from monai_sfda.candidates.candidate import SOURCE
from monai_sfda.candidates.images import spacing_of_copy
from monai_sfda.candidates.outlines import Outlines
from monai_sfda.choice import CaseGains, case_gains
from monai_sfda.metrics import score_case

__all__ = ["Scores", "gains_of", "mean_change", "score_masks"]

Scores = list[dict[str, dict[str, Any]]]
"""For each outlined image, structure -> measure -> value, see `score_case`."""


def score_masks(wanted: Mapping[str, Mapping[str, str]], asked: Asked, outlines: Outlines) -> dict[str, Scores]:
    """Name -> scores of the masks whose structures come from the candidates that are wanted under it.

    Args:
        wanted: name -> structure -> candidate.
        asked: the candidates and their masks.
        outlines: of some of the images.
    """
    structures = asked.structures
    copies = {drawn.case: asked.images / drawn.image for drawn in asked.order}
    scores: dict[str, Scores] = {name: [] for name in wanted}
    for case, outline in outlines.masks.items():
        spacing = spacing_of_copy(copies[case]) if structures.volumes else 1.0
        for name, networks in wanted.items():
            channels = from_numpy(_channels(networks, asked, case))
            row = score_case(channels, from_numpy(outline), structures=structures.names, spacing=spacing)
            scores[name].append(row)
    return scores


def gains_of(scores: Mapping[str, Scores], name: str, structure: str) -> CaseGains:
    """Dice less that of the source network, of each outlined image."""
    after, before = ([row[structure]["dice"] for row in scores[one]] for one in (name, SOURCE))
    return case_gains(after, before)


def mean_change(measure: str, scores: Mapping[str, Scores], name: str, structure: str) -> float | None:
    """Mean change of a distance over the outlined images on which both networks have one; None if there is none."""
    after, before = ([row[structure][measure] for row in scores[one]] for one in (name, SOURCE))
    changes = [mine - theirs for mine, theirs in zip(after, before, strict=True)]
    measured = [change for change in changes if math.isfinite(change)]
    return fmean(measured) if measured else None


def _channels(networks: Mapping[str, str], asked: Asked, case: str) -> np.ndarray:
    """(K, *S) bool, each structure from its candidate."""
    structures = asked.structures
    masks = {name: structures.read(asked.masks[name][case]) for name in set(networks.values())}
    channels = np.stack([masks[networks[name]][place] for place, name in enumerate(structures.names)])
    return np.logical_and.accumulate(channels) if structures.nested else channels
