"""Before outlines: all candidates segment all images, and the images to outline are drawn."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from monai_sfda.candidates.candidate import SOURCE, Candidate
from monai_sfda.candidates.cheap import at_cutoffs, middle_networks, mixed_networks
from monai_sfda.candidates.compare import compare, same_as
from monai_sfda.candidates.deliver import DRAFT
from monai_sfda.candidates.images import copy_volume, find_pictures, find_run_volumes, volume_reader
from monai_sfda.candidates.order import Drawn, draw_once, put_images, put_source_masks
from monai_sfda.candidates.run import find_candidates, find_source, reading_options, running_options
from monai_sfda.candidates.segment import PART, kept_masks, mask_name, segment
from monai_sfda.candidates.structures import Structures, read_structures
from monai_sfda.console import say_why
from monai_sfda.failures import clear_drafts

__all__ = ["Asked", "ask"]


class Asked(NamedTuple):
    """A run whose candidates have segmented all images."""

    candidates: dict[str, Candidate]
    """By name, the source network first."""
    masks: dict[str, dict[str, Path]]
    """Name of a candidate -> case -> its mask."""
    same: dict[str, dict[str, str]]
    """Structure -> candidate -> the candidate that stands for it, see `same_as`."""
    structures: Structures
    order: list[Drawn]
    """All images in the order of the drawing; empty if all candidates give the masks of the source network."""
    images: Path
    """Folder with copies of those that are to be outlined."""
    left_out: list[str]
    """A sentence about each candidate that cannot be compared."""

    def distinct(self, structure: str) -> list[str]:
        """The candidates that stand for themselves, without the source network."""
        return [name for name in dict.fromkeys(self.same[structure].values()) if name != SOURCE]


def ask(
    run: Path,
    *,
    device: str | None = None,
    precision: str | None = None,
    weights_only: bool = False,
    source_masks: bool = False,
) -> Asked:
    """Make all masks of a run, draw the images to outline, and copy them into ``run/outline/image``.

    What is there is not made again.

    Args:
        run: output folder of ``adapt --methods``.
        device: to compute on; by default that of the adaptation.
        precision: to compute in; by default that of the adaptation.
        weights_only: take only candidates that are weights of the source's own network, at its cut-offs, and one for
            all structures.
        source_masks: also copy the masks of the source network, see `put_source_masks`.

    Raises:
        FileNotFoundError: if the source bundle or the images have gone, or no candidate is finished.
        ValueError: if the source has other weights now, or no candidate can be compared with it.
    """
    for folder in ("choice", "outline"):
        clear_drafts(run / folder)
    for draft in [run / DRAFT, run / "choice" / PART]:
        shutil.rmtree(draft, ignore_errors=True)
    source = find_source(run)
    adapted, left_out = find_candidates(run)
    structures = read_structures(source.bundle)._replace(one_network=weights_only)
    options = {**reading_options(run), **running_options(run, {"device": device, "precision": precision})}
    networks = [source, *_in_order(_family(source, one, structures, left_out) for one in adapted)]
    if weights_only:
        definition = source.network_def()
        networks = [one for one in networks if one.network_def() == definition and len(one.parts()) == 1]
        others = {one.name for one in adapted} - {one.name for one in networks}
        left_out += [f"{name} is left out: its method changed the network." for name in sorted(others)]
    candidates: dict[str, Candidate] = {}
    masks: dict[str, dict[str, Path]] = {}
    for number, network in enumerate(networks, 1):
        try:
            further = [] if weights_only else at_cutoffs(network, structures)
            made = kept_masks(network, further, run)
            if not made:
                print(f"{number} of {len(networks)}: {network.name}", flush=True)
                made = segment(network, further, run, structures, **options)
        except Exception as error:
            if network is source:
                raise
            left_out.append(f"{network.name} is left out: {say_why(error)}")
            continue
        if missing := len(masks.get(SOURCE, made[0]).keys() - made[0].keys()):
            left_out.append(f"{network.name} is left out: it has no mask of {missing} images that the source has.")
            continue
        for candidate, each in zip([network, *further], made, strict=True):
            candidates[candidate.name], masks[candidate.name] = candidate, each
    if all(candidate.network() == source for candidate in candidates.values()):
        raise ValueError(f"Expected a candidate to compare with the source network, found none: {left_out[0]}")
    names = sorted(candidates, key=lambda name: _derived(candidates[name]))
    made_of = {name: one.made_of() for name, one in candidates.items() if one.cutoff is None}
    compared = compare(
        {name: masks[name] for name in names}, structures, keep=run / "choice" / "compared.json", made_of=made_of
    )
    if structures.volumes:  # whose copies have the names of their masks, for both are NIfTI
        names_of = {case: mask_name(source, run, mask) for case, mask in masks[SOURCE].items()}
        order = draw_once(run, masks[SOURCE], lambda: compared.disagreement, names_of.__getitem__)
        copy = partial(copy_volume, reader=volume_reader(run, source))
        images = put_images(run, order, lambda: find_run_volumes(run), copy)
    else:
        order = draw_once(run, masks[SOURCE], lambda: compared.disagreement)
        images = put_images(run, order, lambda: find_pictures(run))
    if source_masks:
        put_source_masks(run, order, masks[SOURCE])
    same = {structure: same_as(agreement, names) for structure, agreement in compared.agreement.items()}
    if structures.joint:
        same = dict.fromkeys(structures.names, same_as(compared.least(), names))
    return Asked(candidates, masks, same, structures, order, images, left_out)


def _family(source: Candidate, adapted: Candidate, structures: Structures, left_out: list[str]) -> list[Candidate]:
    """An adapted network, half of its epochs, and what lies between it and the source; none if files are damaged."""
    try:
        adapted.made_of()
        return [adapted, *middle_networks([adapted], structures), *mixed_networks(source, [adapted])]
    except (OSError, ValueError, KeyError) as error:
        left_out.append(f"{adapted.name} is left out: {say_why(error)}")
        return []


def _in_order(families: Iterable[list[Candidate]]) -> list[Candidate]:
    return sorted((one for family in families for one in family), key=_derived)


def _derived(candidate: Candidate) -> tuple[bool, bool, bool]:
    """Adapted networks as they are come first, so that they stand for others."""
    return candidate.mixed is not None, candidate.epoch is not None, candidate.cutoff is not None
