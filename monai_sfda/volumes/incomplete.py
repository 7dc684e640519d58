"""Series that may lack slices, although their positions do not show it."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from monai_sfda.volumes.slices import Slice

__all__ = ["refuse_beside_damage", "warn_of_distances"]

FARTHER = 1.5
"""Times the distance of slices that a file says: from here on slices are missing."""

logger = logging.getLogger(__name__)


def refuse_beside_damage(
    items: Iterable[dict[str, Any]], damaged: Iterable[str], cases: Mapping[str, str], *, whole: Collection[str]
) -> None:
    """Refuse the only series of a folder with files that cannot be read; of several series, a warning names them.

    Args:
        items: series, with ``image`` (paths) and ``case``; those that are refused get ``refused``, which says why.
        damaged: paths of the files that cannot be read.
        cases: path -> path relative to the folder of all.
        whole: paths of files that hold a volume each, which lacks nothing.
    """
    beside: dict[PurePosixPath, list[dict[str, Any]]] = {}
    for item in items:
        for folder in {_folder(path, cases) for path in item["image"] if path not in whole}:
            beside.setdefault(folder, []).append(item)
    unclear: dict[str, None] = {}
    for folder, count in Counter(_folder(path, cases) for path in damaged).items():
        series = beside.get(folder, [])
        if len(series) == 1:
            series[0]["refused"] = (
                f"Expected all DICOM files in the folder of the series to be readable, found {count} that cannot be "
                "read, without which it may lack slices; export the folder again, or move other files out of it."
            )
        else:
            unclear |= dict.fromkeys(item["case"] for item in series)
    if unclear:
        logger.warning("Beside DICOM files that cannot be read, these series may lack slices: %s.", _first(unclear))


def warn_of_distances(series: Mapping[str, Sequence[Slice]]) -> None:
    """A warning names the series whose slices lie farther apart than their files say.

    Args:
        series: case -> its slices in the order of their positions.
    """
    found = []
    for case, slices in series.items():
        if len(slices) > 1 and (said := slices[0].apart):
            ends = np.array([slices[0].position, slices[-1].position])
            distance = float(np.linalg.norm(ends[1] - ends[0])) / (len(slices) - 1)
            if distance > FARTHER * said:
                found.append(f"{case} ({distance:.4g} mm, not {said:.4g} mm)")
    if found:
        logger.warning(
            "Slices lie farther apart than Spacing Between Slices says in %d series, as if some were missing: %s.",
            len(found),
            _first(found),
        )


def _folder(path: str, cases: Mapping[str, str]) -> PurePosixPath:
    return PurePosixPath(cases[path]).parent


def _first(names: Iterable[str]) -> str:
    shown = list(names)
    return ", ".join(shown[:3]) + (", ..." if len(shown) > 3 else "")
