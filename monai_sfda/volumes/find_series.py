"""The DICOM series among the files of a folder tree."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePosixPath
from posixpath import commonpath
from typing import Any

from monai_sfda.volumes.arrange import arranged
from monai_sfda.volumes.incomplete import refuse_beside_damage, warn_of_distances
from monai_sfda.volumes.slices import Slice, slices_of
from monai_sfda.volumes.stacks import joined

__all__ = ["find_series"]

THREADS = 4

logger = logging.getLogger(__name__)


def find_series(items: Sequence[dict[str, str]], *, taken: Iterable[str] = ()) -> list[dict[str, Any]]:
    """One item for each series of a study, wherever its files lie.

    Its ``image`` is the list of its paths, in the order of the slices where they are those of one volume, ``frames`` is
    how many volumes there are, and its ``case`` is the folder that holds all its files and the number of the series:
    ``patient/series_3``. Where that is not unique, a counter follows: ``series_3_2``. The series
    of a stack whose slices are a series each are one item, ``series_3_to_11``, see `joined`. A file that cannot be
    read, or names no series, is an item of its own; where it may belong to a series beside it, ``refused`` of that says
    so, see `refuse_beside_damage`. Files without images, such as reports and segmentations, are left out with a
    warning.

    Args:
        items: the DICOM files, each with ``image`` (path) and ``case`` (path relative to the folder).
        taken: cases of other files, which no series may be called.

    Raises:
        ImportError: if pydicom is not installed.
    """
    cases = {item["image"]: item["case"] for item in items}
    with ThreadPoolExecutor(THREADS) as pool:
        read = list(pool.map(_slices, cases))
    groups: dict[tuple[str | None, str], list[Slice]] = {}
    damaged, others = [], 0
    for path, slices in zip(cases, read, strict=True):
        if slices is None:
            damaged.append(path)
        elif slices:
            groups.setdefault((slices[0].study, slices[0].series or f"alone {path}"), []).extend(slices)
        else:
            others += 1
    if others:
        logger.warning("%d DICOM files without images, such as reports and segmentations, are left out.", others)
    for key in [key for key, slices in groups.items() if all(0 in one.size for one in slices)]:  # of no known series
        damaged += [one.path for one in groups.pop(key) if not one.frame]
    series = _named(joined(groups.values()), cases, {*cases.values(), *taken})
    volumes = {one.path for slices in groups.values() for one in slices if one.frame is not None}
    refuse_beside_damage(series, damaged, cases, whole=volumes)
    return [*({"image": [path], "case": cases[path]} for path in damaged), *series]


def _slices(path: str) -> list[Slice] | None:
    try:
        return slices_of(path)
    except ImportError:
        raise
    except Exception:  # as varied as damaged headers; whoever reads it says so
        return None


def _named(groups: Sequence[Sequence[Slice]], cases: dict[str, str], others: set[str]) -> list[dict[str, Any]]:
    result, taken = [], {case.casefold() for case in others}
    ordered: dict[str, Sequence[Slice]] = {}
    for slices in groups:
        in_order = _arranged(slices)
        frames = in_order or [list(slices)]
        paths = list(dict.fromkeys(one.path for frame in frames for one in frame))
        folder = PurePosixPath(commonpath([str(PurePosixPath(cases[path]).parent) for path in paths]))
        name = str(folder / "_".join(["series", *_numbers(slices)]))
        case, count = name, 1
        while case.casefold() in taken:
            count += 1
            case = f"{name}_{count}"
        taken.add(case.casefold())
        result.append({"image": paths, "case": case, "frames": len(frames)})
        if in_order:
            ordered[case] = in_order[0]
    warn_of_distances(ordered)
    return result


def _numbers(slices: Sequence[Slice]) -> list[str]:
    """``["3"]``, or, of a stack of several series, ``["3", "to", "11"]``; nothing where they have no number."""
    numbers = dict.fromkeys(one.series_number for one in slices)
    known = [number for number in numbers if number is not None]
    if len(known) < len(numbers):
        return []
    least, most = min(known, key=int), max(known, key=int)
    return [least] if int(least) == int(most) else [least, "to", most]


def _arranged(slices: Sequence[Slice]) -> list[list[Slice]] | None:
    try:
        return arranged(slices)
    except ValueError:  # whoever reads it says so
        return None
