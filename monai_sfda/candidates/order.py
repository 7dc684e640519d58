"""Which images to outline: drawn once, written down, and copied for the person who outlines them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from monai_sfda.choice import Rule, draw_order
from monai_sfda.files import whole_file, without_suffix
from monai_sfda.tables import read_csv, write_csv

__all__ = ["SOURCE_MASKS", "SPARE", "Drawn", "draw_once", "put_images", "put_source_masks"]

SOURCE_MASKS = Path("outline", "source_mask")

COLUMNS = ("number", "case", "disagreement", "image")
LONGEST = 200  # bytes of a name: file systems end at 255
SPARE = 5
"""Copies beyond those that are to be outlined, for images that cannot be."""


class Drawn(NamedTuple):
    """An image of a run, in the order of the drawing."""

    case: str
    disagreement: float
    """How far the masks of the candidates are from those of the source: 1 - Dice, of the candidate that is farthest."""
    image: str
    """Name of its copy in ``outline/image``; empty for those that nobody needs to outline."""


def draw_once(
    run: Path,
    cases: Collection[str],
    disagreement: Callable[[], Mapping[str, float]],
    called: Callable[[str], str] = str,
) -> list[Drawn]:
    """Draw the order, or read it if it has been drawn; nothing is drawn where nobody disagrees.

    Args:
        run: the order is in ``run/outline/order.csv``.
        cases: all images.
        disagreement: gives that of every image, in [0, 1], and is only asked if nothing has been drawn.
        called: case -> name of its copy behind the number; by default that of the case.

    Raises:
        ValueError: if the images are not those that the order was drawn from.
    """
    path = run / "outline" / "order.csv"
    if not path.is_file():
        sizes = disagreement()
        drawn = [draw.case for draw in draw_order(sizes, seed=0)] if any(sizes.values()) else []
        rows = [
            {"number": n, "case": case, "disagreement": sizes[case], "image": _copy_name(n, called(case))}
            for n, case in enumerate(drawn, 1)
        ]
        if not rows:
            return []
        write_csv(path, COLUMNS, rows)
    try:
        order = _read(path)
    except ValueError as error:
        raise ValueError(
            f"Expected {path} as it was drawn, found other content; delete {path.parent} to draw anew."
        ) from error
    if sorted(drawn.case for drawn in order) != sorted(cases):
        raise ValueError(
            f"Expected the images that {path} was drawn from, found others in the masks of the candidates; delete "
            f"{path.parent} to draw anew."
        )
    return order


def _read(path: Path) -> list[Drawn]:
    rows = read_csv(path, COLUMNS)
    order = [Drawn(row["case"], float(row["disagreement"]), row["image"]) for row in rows]
    names = [drawn.image for drawn in order if drawn.image]
    numbered = [row["number"] for row in rows] == [f"{n}" for n in range(1, len(rows) + 1)]
    if not numbered or len(set(names)) < len(names) or not all(0 <= drawn.disagreement <= 1 for drawn in order):
        raise ValueError("Expected numbers from 1 on, disagreements in [0, 1] and each copy once.")
    return order


def put_images(
    run: Path,
    order: list[Drawn],
    find: Callable[[], Mapping[str, Any]],
    copy: Callable[[Any, Path], object] = shutil.copyfile,
) -> Path:
    """Copy the images to outline into ``run/outline/image``, which is returned.

    Args:
        run: the run.
        order: as drawn.
        find: gives case -> image, and is only asked if a copy is missing.
        copy: writes such an image to a path; by default, images are paths.
    """
    folder = run / "outline" / "image"
    missing = [drawn for drawn in order if drawn.image and not (folder / drawn.image).is_file()]
    places = find() if missing else {}
    for drawn in missing:
        with whole_file(folder / drawn.image) as draft:
            copy(places[drawn.case], draft)
    return folder


def put_source_masks(run: Path, order: list[Drawn], masks: Mapping[str, Path]) -> None:
    """Copy the masks of the source network for those who correct instead of drawing; one that is there stays.

    Args:
        run: receives ``outline/source_mask``, with the names of the copies of the images.
        order: as drawn.
        masks: case -> mask of the source network.
    """
    for drawn in order:
        mask = masks[drawn.case]
        path = run / SOURCE_MASKS / f"{without_suffix(drawn.image)}{mask.name[len(without_suffix(mask.name)) :]}"
        if drawn.image and not path.is_file():
            with whole_file(path) as draft:
                shutil.copyfile(mask, draft)


def _copy_name(number: int, name: str) -> str:
    if number > Rule().cap + SPARE:
        return ""
    end = name.replace("/", "_").encode()[-LONGEST:].decode(errors="ignore")
    return f"{number:03d}_{end}"
