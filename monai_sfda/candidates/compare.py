"""How much the masks of all candidates differ, from each other and from those of the source network."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from monai_sfda.candidates.candidate import SOURCE
from monai_sfda.candidates.structures import Structures
from monai_sfda.json_file import read_json, write_json

__all__ = ["Compared", "compare", "same_as"]

ALIKE = 0.99
"""Mean Dice of two candidates above which they count as one: a point is the margin of the decision."""
PIXELS = 512 * 512  # of a picture's mask that are looked at
BYTES = 2**16  # of 8 pixels of each mask, that are multiplied at once


class Compared(NamedTuple):
    """Numbers without outlines."""

    disagreement: dict[str, float]
    """case -> 1 - Dice with the source network, of the candidate and the structure that are farthest."""
    agreement: dict[str, dict[str, dict[str, float]]]
    """structure -> candidate -> candidate -> mean Dice of their masks over all images."""

    def least(self) -> dict[str, dict[str, float]]:
        """Of all structures: candidate -> candidate -> the least mean Dice."""
        tables = list(self.agreement.values())
        return {one: {other: min(table[one][other] for table in tables) for other in tables[0]} for one in tables[0]}


def compare(masks: Mapping[str, Mapping[str, Path]], structures: Structures, *, keep: Path, made_of: Any) -> Compared:
    """Compare the masks of all candidates on all images; of large pictures, pixels of a grid, of volumes all voxels.

    Args:
        masks: candidate, the source network first -> case -> its mask.
        structures: how masks are read.
        keep: file that keeps the result.
        made_of: plain values that change with the masks; if they are those of the file, the result is read from it.
    """
    made_of = json.loads(json.dumps([made_of, list(masks), sorted(masks[SOURCE])]))
    try:
        kept = read_json(keep)
    except (OSError, ValueError):
        kept = {}
    if kept.get("of") == made_of:
        return Compared(kept["disagreement"], kept["agreement"])
    names, cases = list(masks), list(masks[SOURCE])
    total, farthest = np.zeros((len(structures.names), len(names), len(names))), {}
    for case in tqdm(cases, "comparing", unit="image", leave=False):
        dice = _dice(map(_pixels, _of_one_size(case, [masks[name][case] for name in names], structures)))
        total += dice
        farthest[case] = float(1 - dice[:, names.index(SOURCE)].min())
    mean = (total / len(cases)).tolist()
    agreement = {
        structure: {name: dict(zip(names, row, strict=True)) for name, row in zip(names, table, strict=True)}
        for structure, table in zip(structures.names, mean, strict=True)
    }
    write_json(keep, {"of": made_of, "disagreement": farthest, "agreement": agreement}, indent=None)
    return Compared(farthest, agreement)


def same_as(agreement: Mapping[str, Mapping[str, float]], names: Sequence[str]) -> dict[str, str]:
    """Candidate -> the candidate that stands for it: the first whose masks are nearly the same, or itself.

    One at least, the one that differs most, does not have the source network stand for it.

    Args:
        agreement: candidate -> candidate -> mean Dice.
        names: the candidates, the source network first.
    """
    standing: dict[str, str] = {}
    for name in names:
        others = (one for one in dict.fromkeys(standing.values()) if agreement[name][one] > ALIKE)
        standing[name] = next(others, name)
    if set(standing.values()) == {SOURCE}:
        farthest = min((name for name in names if name != SOURCE), key=lambda name: agreement[name][SOURCE])
        standing[farthest] = farthest
    return standing


def _of_one_size(case: str, paths: Iterable[Path], structures: Structures) -> Iterator[np.ndarray]:
    first: tuple[int, ...] = ()
    for path in paths:
        channels = structures.read(path)
        first = first or channels.shape
        if channels.shape != first:
            found = " and ".join("x".join(map(str, shape[1:])) for shape in (first, channels.shape))
            raise ValueError(
                f"Expected masks of {case} of one size, found {found}: the image was changed between two networks; "
                "delete the folders choice and outline of the run to begin anew."
            )
        yield channels


def _pixels(channels: np.ndarray) -> np.ndarray:
    """(K, H, W) -> (K, pixels), at most `PIXELS`; (K, X, Y, Z) -> (K, voxels)."""
    if channels.ndim == 4:
        return channels.reshape(len(channels), -1)
    step = max(1, int(np.ceil((channels[0].size / PIXELS) ** 0.5)))
    return channels[:, ::step, ::step].reshape(len(channels), -1)


def _dice(masks: Iterable[np.ndarray]) -> np.ndarray:
    """(K, C, C), Dice of the masks (K, pixels) of C candidates with each other; two empty ones agree.

    Of each mask a bit per pixel is kept, so that those of volumes fit into memory together.
    """
    packed = np.stack([np.packbits(mask, axis=1) for mask in masks], 1)
    packed = packed[:, :, packed.any((0, 1))]  # where nobody finds anything, nothing is shared
    shared = np.zeros((len(packed), packed.shape[1], packed.shape[1]))
    for start in range(0, packed.shape[2], BYTES):
        pixels = np.unpackbits(packed[:, :, start : start + BYTES], axis=2).astype(np.float32)
        shared += pixels @ pixels.swapaxes(1, 2)
    sizes = np.diagonal(shared, axis1=1, axis2=2)
    both = sizes[:, :, None] + sizes[:, None]
    return np.divide(2 * shared, both, out=np.ones_like(shared), where=both > 0)
