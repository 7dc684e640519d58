"""Volumes of picture files, one slice each, which state neither place nor size."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from monai_sfda.files import without_suffix
from monai_sfda.imageio import MaskReader
from monai_sfda.reading.orientation import upright
from monai_sfda.reading.palette import resolved
from monai_sfda.reading.read import read_stored
from monai_sfda.reading.stored import Refused, Stored, refuse_huge
from monai_sfda.volumes.volume import MOST_VOXELS, Volume, size_text

__all__ = ["group_pictures", "read_pictures"]


def read_pictures(paths: Sequence[str], *, ids: bool = False) -> Volume:
    """Read pictures as the slices of one volume: columns, rows, slices; levels as stored, bright meaning bright.

    Args:
        paths: of grey pictures of one size, in the order of the slices.
        ids: whether the levels are class ids, as `MaskReader` reads them.

    Raises:
        ValueError: if they are not grey, not of one size or not on one scale, or cannot be decoded.
    """
    slices: list[np.ndarray] = []
    scales: dict[_Scale, None] = {}
    for path in paths:
        if ids:
            levels = np.asarray(MaskReader().decode(Path(path)))
        else:
            stored = read_stored(path)
            levels = _grey(stored, Path(path).name)
            if stored.inverted or levels.any():  # 0 is black on every other scale
                scales[_scale(stored)] = None
        if slices and levels.shape != slices[0].shape:
            found = " and ".join(size_text(one.shape[::-1]) for one in (slices[0], levels))
            raise Refused(f"Expected slices of one size, found {found} pixels; correct --group, or export them again.")
        slices.append(levels)
        refuse_huge((*levels.shape, len(paths)), path, MOST_VOXELS)
    _refuse_other_scales(list(scales))
    values = np.stack(slices).transpose(2, 1, 0)
    values = values if values.dtype.kind in "iu" else values.astype(np.float32)
    # Left and back as image viewers show a slice.
    return Volume(values, np.diag([-1.0, -1.0, 1.0, 1.0]), placed=False, measured=False, sized=False)


def group_pictures(items: Sequence[Mapping[str, str]], pattern: str) -> list[dict[str, Any]]:
    r"""Items of volumes from those of pictures.

    Args:
        items: with ``image`` (path) and ``case``.
        pattern: regular expression of a whole case without its suffix, with the groups ``volume``, the case of the
            volume, and ``slice``, a whole number: ``(?P<volume>.+)_(?P<slice>\d+)``.

    Returns:
        Items with ``image``, the paths in the order of the slices. Where these are not complete, ``refused`` says it. A
        picture that does not match is a volume of one slice.

    Raises:
        ValueError: if the pattern is none, or matches no picture.
    """
    expression = _expression(pattern)
    volumes: dict[str, list[tuple[int, str]]] = {}
    alone: list[dict[str, Any]] = []
    for item in items:
        match = expression.fullmatch(without_suffix(item["case"]))
        if match and match["volume"] and (match["slice"] or "").isdecimal():
            volumes.setdefault(match["volume"], []).append((int(match["slice"]), item["image"]))
        else:
            alone.append({"image": item["image"], "case": item["case"]})
    if items and not volumes:
        raise ValueError(
            f"Expected --group to match names such as {without_suffix(items[0]['case'])}, found none that it matches; "
            "correct it."
        )
    return [*alone, *(_volume(case, sorted(slices)) for case, slices in volumes.items())]


def _expression(pattern: str) -> re.Pattern[str]:
    example = r"such as '(?P<volume>.+)_(?P<slice>\d+)'"
    try:
        expression = re.compile(str(pattern))
    except re.error as error:
        raise ValueError(f"Expected --group to be a regular expression {example}, found an error: {error}.") from None
    if not {"volume", "slice"} <= expression.groupindex.keys():
        raise ValueError(f"Expected --group with the groups volume and slice, {example}, found {pattern}; name them.")
    return expression


def _volume(case: str, slices: Sequence[tuple[int, str]]) -> dict[str, Any]:
    numbers = [number for number, _ in slices]
    item: dict[str, Any] = {"image": [path for _, path in slices], "case": case}
    steps = np.diff(numbers)
    if len(steps) and steps.min() == 0:
        twice = numbers[int(steps.argmin())]
        item["refused"] = f"Expected one picture of each slice, found several of slice {twice}; correct --group."
    elif len(steps) and steps.max() > steps.min():
        before = int(steps.argmax())
        item["refused"] = (
            f"Expected slices without a gap, found none between slice {numbers[before]} and slice "
            f"{numbers[before + 1]}; add them."
        )
    return item


class _Scale(NamedTuple):
    kind: str
    bits: int | None
    inverted: bool

    def __str__(self) -> str:
        bits = f" of {self.bits} bits" if self.bits else ""
        return f"{self.kind}{bits}{' of which 0 is white' if self.inverted else ''}"


def _scale(stored: Stored) -> _Scale:
    kind = "uint8" if stored.palette is not None else stored.levels.dtype.name
    bits = {"bool": 1, "uint8": 8}.get(kind)  # deeper levels stay as they are stored, whatever their depth
    if bits and stored.bits and stored.palette is None:
        bits = stored.bits
    return _Scale(kind, bits, stored.inverted)


def _refuse_other_scales(scales: Sequence[_Scale]) -> None:
    if len(scales) > 1:
        raise Refused(
            f"Expected slices of one scale of levels, found {' and '.join(map(str, scales))}; export them again in "
            "one format."
        )


def _grey(stored: Stored, name: str) -> np.ndarray:
    """(rows, columns), upright."""
    levels = stored.levels
    if stored.palette is not None:
        levels = resolved(levels, stored.palette, name)
    if levels.ndim == 3:
        if (levels != levels[..., :1]).any():
            raise Refused(f"Expected grey slices, found colours in {name}; leave it out, or save it as grey.")
        levels = levels[..., 0]
    levels = upright(levels, stored.orientation)
    return -levels.astype(np.float32) if stored.inverted else levels
