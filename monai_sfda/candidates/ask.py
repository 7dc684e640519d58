"""Before outlines: all candidates segment all images, and the images to outline are drawn."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from monai_sfda.candidates.candidate import SOURCE, Candidate
from monai_sfda.candidates.cheap import at_cutoffs, middle_networks, mixed_networks
from monai_sfda.candidates.compare import compare, same_as
from monai_sfda.candidates.deliver import DRAFT, OLD
from monai_sfda.candidates.images import (
    OtherImages,
    copy_volume,
    find_pictures,
    find_run_volumes,
    keep_list,
    list_images,
    volume_reader,
)
from monai_sfda.candidates.order import Drawn, draw_once, put_images, put_source_masks
from monai_sfda.candidates.run import find_candidates, find_source, reading_options, running_options
from monai_sfda.candidates.segment import PART, kept_masks, mask_name, segment
from monai_sfda.candidates.structures import Structures, read_structures
from monai_sfda.console import say_why
from monai_sfda.failures import clear_drafts
from monai_sfda.passport import read_passport

__all__ = ["Asked", "ask"]


class Asked(NamedTuple):
    """A run whose candidates have segmented all images."""

    candidates: dict[str, Candidate]
    """By name, the source network first."""
    masks: dict[str, dict[str, Path]]
    """Name of a candidate -> case -> its mask."""
    same: dict[str, dict[str, str]]
    """Structure -> candidate -> the candidate that stands for it, see `same_as`."""
    unchanged: set[tuple[str, str]]
    """Structure and candidate, where its masks of all images are those of the source network."""
    structures: Structures
    order: list[Drawn]
    """All images in the order of the drawing; empty if all candidates give the masks of the source network."""
    images: Path
    """Folder with copies of those that are to be outlined."""
    options: dict[str, Any]
    """How images are read, and what computes."""
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
    for draft in [run / DRAFT, run / OLD, run / "choice" / PART]:
        shutil.rmtree(draft, ignore_errors=True)
    source = find_source(run)
    adapted, left_out = find_candidates(run)
    structures = read_structures(source.bundle)._replace(one_network=weights_only)
    options = {**reading_options(run), **running_options(run, {"device": device, "precision": precision})}
    networks = _networks(source, adapted, structures, left_out)
    candidates, masks, made_of = _segmented(run, networks, structures, options, left_out)
    names = sorted(candidates, key=lambda name: _derived(candidates[name]))
    compared = compare(
        {name: masks[name] for name in names}, structures, keep=run / "choice" / "compared.json", made_of=made_of
    )
    order, images = _drawn(run, source, masks[SOURCE], compared.disagreement, structures)
    if source_masks:
        put_source_masks(run, order, masks[SOURCE])
    agreement = compared.agreement
    same = {structure: same_as(table, names) for structure, table in agreement.items()}
    if structures.joint:
        same = dict.fromkeys(structures.names, same_as(compared.least(), names))
    unchanged = {
        (structure, name) for structure, table in agreement.items() for name in names if table[name][SOURCE] == 1
    }
    return Asked(candidates, masks, same, unchanged, structures, order, images, options, left_out)


def _networks(
    source: Candidate, adapted: Sequence[Candidate], structures: Structures, left_out: list[str]
) -> list[Candidate]:
    """The source network, the adapted ones as they are, and those that are made of them."""
    networks = [source, *_in_order(_family(source, one, structures, left_out) for one in adapted)]
    if structures.one_network:
        definition = source.network_def()
        networks = [one for one in networks if one.network_def() == definition and len(one.parts()) == 1]
        others = {one.name for one in adapted} - {one.name for one in networks}
        left_out += [f"{name} is left out: its method changed the network." for name in sorted(others)]
    return networks


class _Segmented(NamedTuple):
    candidates: dict[str, Candidate]
    masks: dict[str, dict[str, Path]]
    made_of: dict[str, Any]
    """Of the networks at their own cut-offs."""


def _segmented(
    run: Path,
    networks: Sequence[Candidate],
    structures: Structures,
    options: Mapping[str, Any],
    left_out: list[str],
) -> _Segmented:
    """The masks of all networks, the source's first: what it could not read is not looked at again."""
    done = _Segmented({}, {}, {})
    images: list[dict[str, Any]] = []
    for number, network in enumerate(networks, 1):
        try:
            further = [] if structures.one_network else at_cutoffs(network, structures)
            made_of = network.made_of()
            made = kept_masks(network, further, run, made_of)
            if not made:
                print(f"{number} of {len(networks)}: {network.name}", flush=True)
                images = images or list_images(run, structures)
                listed = keep_list(run, images, done.masks[SOURCE]) if done.masks else {}
                made = segment(network, further, run, structures, made_of, **{**options, **listed})
        except OtherImages:
            raise
        except Exception as error:
            if network is networks[0]:
                raise
            left_out.append(f"{network.name} is left out: {say_why(error)}")
            continue
        if missing := len(done.masks.get(SOURCE, made[0]).keys() - made[0].keys()):
            left_out.append(f"{network.name} is left out: it has no mask of {missing} images that the source has.")
            continue
        done.made_of[network.name] = made_of
        for candidate, each in zip([network, *further], made, strict=True):
            done.candidates[candidate.name], done.masks[candidate.name] = candidate, each
    if all(candidate.network() == networks[0] for candidate in done.candidates.values()):
        raise ValueError(f"Expected a candidate to compare with the source network, found none: {left_out[0]}")
    return done


def _drawn(
    run: Path,
    source: Candidate,
    masks: Mapping[str, Path],
    disagreement: Mapping[str, float],
    structures: Structures,
) -> tuple[list[Drawn], Path]:
    """The order of the images, and the folder of the copies."""
    if not structures.volumes:
        order = draw_once(run, masks, lambda: disagreement)
        return order, put_images(run, order, lambda: find_pictures(run))
    # Copies have the names of their masks, for both are NIfTI.
    names = {case: mask_name(source, run, mask) for case, mask in masks.items()}
    order = draw_once(run, masks, lambda: disagreement, names.__getitem__)
    copy = partial(copy_volume, reader=volume_reader(run, source))
    return order, put_images(run, order, lambda: find_run_volumes(run), copy)


def _family(source: Candidate, adapted: Candidate, structures: Structures, left_out: list[str]) -> list[Candidate]:
    """An adapted network, half of its epochs, and what lies between it and the source; none if files are damaged."""
    try:
        read_passport(adapted.weights)
        return [adapted, *middle_networks([adapted], structures), *mixed_networks(source, [adapted])]
    except (OSError, ValueError, KeyError) as error:
        left_out.append(f"{adapted.name} is left out: {say_why(error)}")
        return []


def _in_order(families: Iterable[list[Candidate]]) -> list[Candidate]:
    return sorted((one for family in families for one in family), key=_derived)


def _derived(candidate: Candidate) -> tuple[bool, bool, bool]:
    """Adapted networks as they are come first, so that they stand for others."""
    return candidate.mixed is not None, candidate.epoch is not None, candidate.cutoff is not None
