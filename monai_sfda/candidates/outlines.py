"""Outlines that a person drew: which image each belongs to, and whether it can be used."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from monai_sfda.candidates.order import SPARE, Drawn
from monai_sfda.candidates.read_outline import read_outline
from monai_sfda.candidates.structures import Structures
from monai_sfda.data.tree import visible_files
from monai_sfda.failures import reason
from monai_sfda.files import SUFFIXES, readable_path, sha256, without_suffix
from monai_sfda.places import existing_folder

__all__ = ["SKIP", "Outlines", "read_outlines"]

SKIP = "skip.txt"
"""File beside the outlines: names of images that cannot be outlined, one in each line."""


class _ReadAgain(Mapping[str, np.ndarray]):
    """Case -> outline, which is read whenever it is asked for, so that not all volumes are in memory together."""

    def __init__(self, files: Mapping[str, tuple[Path, Path]], structures: Structures) -> None:
        self.files, self.structures = files, structures

    def __getitem__(self, case: str) -> np.ndarray:
        return read_outline(*self.files[case], self.structures)

    def __iter__(self) -> Iterator[str]:
        return iter(self.files)

    def __len__(self) -> int:
        return len(self.files)


class Outlines(NamedTuple):
    """What can be used of a folder."""

    masks: Mapping[str, np.ndarray]
    """Case -> (K, H, W) or (K, X, Y, Z) bool, in the order of the drawing."""
    left_out: list[str]
    """A sentence about each file that cannot be used."""
    skipped: list[str]
    """Cases without a usable outline that were to be outlined before others that have one, or that `SKIP` names; at
    most `SPARE`."""
    unable: set[str]
    """Those that `SKIP` names."""
    checksums: dict[str, str]
    """Case -> SHA-256 of the file of its outline."""
    exhausted: bool = False
    """Whether more images cannot be outlined than may be passed over, and all before these are done."""

    def first(self, count: int) -> Outlines:
        """The same with no more than ``count`` outlines."""
        cases = list(self.masks)[:count]
        checksums = {case: self.checksums[case] for case in cases}
        if isinstance(self.masks, _ReadAgain):
            files = {case: self.masks.files[case] for case in cases}
            return self._replace(masks=_ReadAgain(files, self.masks.structures), checksums=checksums)
        return self._replace(masks={case: self.masks[case] for case in cases}, checksums=checksums)


def read_outlines(folder: str | Path, order: Sequence[Drawn], images: Path, structures: Structures) -> Outlines:
    """Read outlines that are named as the copies of the images or as the images themselves, see `read_outline`.

    Args:
        folder: with the label maps, and `SKIP` if images cannot be outlined; one that holds a folder ``mask`` has the
            label maps there.
        order: as drawn.
        images: folder of the copies.
        structures: which ids mean what.

    Raises:
        FileNotFoundError: if there are no label maps.
        ValueError: if none can be used, or too many images were passed over before the first one.
    """
    root = existing_folder(folder)
    root = root / "mask" if (root / "mask").is_dir() else root
    files = [path for path in visible_files(root) if path.name.lower().endswith(SUFFIXES)]
    if not files:
        raise FileNotFoundError(
            f"Expected outlines in {root}, found none; save label maps there, png, NIfTI or DICOM-SEG, under the "
            f"names of the images in {images}."
        )
    owners = _owners(order)
    places = dict.fromkeys([existing_folder(folder) / SKIP, root / SKIP])
    unable, left_out = _unable([path for path in places if path.is_file()], owners)
    found: dict[str, Any] = {}
    checksums: dict[str, str] = {}
    for path in sorted(files):
        name = readable_path(path.relative_to(root))
        try:
            drawn = _owner(name, owners)
            if drawn.case in found:
                raise ValueError(f"Expected one outline for each image, found another one of {drawn.image}.")
            pair = path, images / drawn.image
            outline = read_outline(*pair, structures)
            found[drawn.case] = pair if structures.volumes else outline
            checksums[drawn.case] = sha256(path)
        except (OSError, ValueError, ImportError) as error:
            left_out.append(f"{name} is left out: {reason(error, path)}")
    if not found:
        raise ValueError(f"Expected an outline that can be used, found none of {len(files)}: {left_out[0]}")
    counted, skipped, end = _in_order(order, found, unable)
    left = [drawn.image for drawn in order[: end + 1] if drawn.image and drawn.case not in {*found, *unable}]
    if behind := len(found) - len(counted):
        told = f"Expected at most {SPARE} images before them without an outline, found {SPARE + 1}"
        told += f"; outline {', '.join(left[:3])} first." if left else "; adapt to a folder without these."
        if not counted:
            raise ValueError(f"Expected outlines in the order of the numbers, found later ones alone. {told}")
        left_out.append(f"{behind} {'outlines are' if behind > 1 else 'outline is'} left out: {told}")
    ordered = {case: found[case] for case in counted}
    masks = _ReadAgain(ordered, structures) if structures.volumes else ordered
    sums = {case: checksums[case] for case in ordered}
    return Outlines(masks, left_out, skipped, unable, sums, exhausted=end < len(order) and not left)


def _in_order(
    order: Sequence[Drawn], found: Collection[str], unable: Collection[str]
) -> tuple[list[str], list[str], int]:
    """Cases whose outlines count, those that were passed over, at most `SPARE`, and the place where one more was.

    What is behind that is left out. Else a person would select the images, perhaps those on which a network looks good.
    """
    cases = [drawn.case for drawn in order]
    last = max(n for n, case in enumerate(cases) if case in found)
    passed = [n for n, case in enumerate(cases) if case not in found and (n < last or case in unable)]
    end = passed[SPARE] if len(passed) > SPARE else len(cases)
    return [case for case in cases[:end] if case in found], [cases[n] for n in passed if n < end], end


def _unable(paths: Sequence[Path], owners: Mapping[str, Sequence[Drawn]]) -> tuple[set[str], list[str]]:
    """Cases that a `SKIP` names, and a sentence about each line that names none."""
    lines = [line for path in paths for line in path.read_text(encoding="utf-8-sig", errors="replace").splitlines()]
    unable, left_out = set(), []
    for name in filter(None, map(str.strip, lines)):
        try:
            unable.add(_owner(name, owners).case)
        except ValueError as error:
            left_out.append(f"{name} in {SKIP} is left out: {error}")
    return unable, left_out


def _owners(order: Sequence[Drawn]) -> dict[str, list[Drawn]]:
    """Name without suffix -> the images that it may mean."""
    owners: dict[str, list[Drawn]] = {}
    for drawn in order:
        for name in {without_suffix(drawn.case), without_suffix(drawn.image) or without_suffix(drawn.case)}:
            owners.setdefault(name, []).append(drawn)
    return owners


def _owner(name: str, owners: Mapping[str, Sequence[Drawn]]) -> Drawn:
    mine = owners.get(without_suffix(name), [])
    if len(mine) != 1:
        found = "no image" if not mine else f"{len(mine)} images"
        raise ValueError(f"Expected the name of an image in outline/image, found {found} of that name; rename it.")
    if not mine[0].image:
        raise ValueError(
            "Expected an outline of an image in outline/image, found one that is not among the selected images."
        )
    return mine[0]
