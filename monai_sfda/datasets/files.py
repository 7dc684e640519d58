"""Find the files of a download, pair them, and check whether any is missing."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

__all__ = ["Found", "Pair", "check_counts", "find_files", "first_of", "pair_up", "read_names"]


class Found(NamedTuple):
    """A file of a download."""

    path: Path
    split: str
    """What the group ``split`` of the pattern matched, or nothing."""


class Pair(NamedTuple):
    """An image and the files of its reference segmentation."""

    split: str
    name: str
    image: Path
    masks: tuple[Path, ...]


def find_files(source: Path, pattern: str, example: str) -> dict[str, Found]:
    """Files below ``source`` whose path matches, by name.

    Args:
        source: where a download was unpacked, or any folder above; hidden files and ``__MACOSX`` are left out.
        pattern: expression for the end of the path with ``/``; its group ``name`` names the file, ``split`` its split.
        example: a path that matches, for messages.

    Raises:
        OSError: if there is no such folder or no file matches.
        ValueError: if two files have one name.
    """
    if not source.is_dir():
        raise FileNotFoundError(f"Expected a folder with the unpacked download at {source}, found none; give its path.")
    found: dict[str, Found] = {}
    expression = re.compile(rf"(?:^|.*/)(?:{pattern})")
    for path in _visible_files(source):
        match = expression.fullmatch(path.relative_to(source).as_posix())
        if match is None:
            continue
        name = match["name"]
        if name in found:
            raise ValueError(
                f"Expected one file for {name}, found {found[name].path} and {path}; remove the one that is not of "
                "the official download."
            )
        found[name] = Found(path, match.groupdict().get("split") or "")
    if not found:
        raise FileNotFoundError(
            f"Expected files such as {example} below {source}, found none; unpack the official download there."
        )
    return dict(sorted(found.items()))


def pair_up(images: Mapping[str, Found], *masks: Mapping[str, Found]) -> list[Pair]:
    """Join images and masks of one name; the image's split counts.

    Raises:
        ValueError: naming images without a mask, or masks without an image.
    """
    for kind in masks:
        for what, lacking in (
            ("a mask for each image", images.keys() - kind),
            ("an image for each mask", kind - images.keys()),
        ):
            if lacking:
                raise ValueError(
                    f"Expected {what}, found none for {len(lacking)} ({first_of(lacking)}); complete the download."
                )
    return [
        Pair(found.split, name, found.path, tuple(kind[name].path for kind in masks)) for name, found in images.items()
    ]


def check_counts(
    pairs: Iterable[Pair], counts: Mapping[str, int], names: Mapping[str, Collection[str]] | None = None
) -> None:
    """Compare the number of images of each split with the published one.

    Args:
        counts: split to number of images.
        names: split to the names of its images where they are known, so that missing ones can be named.

    Raises:
        ValueError: if a split has too few or too many images.
    """
    found: dict[str, set[str]] = {split: set() for split in counts}
    for pair in pairs:
        found.setdefault(pair.split, set()).add(pair.name)
    for split, present in found.items():
        wanted = counts.get(split, 0)
        if len(present) == wanted:
            continue
        known = set((names or {}).get(split, ()))
        hints = [
            f"{word}: {first_of(those)}"
            for word, those in (("missing", known - present), ("unknown", present - known))
            if those and (known or not wanted)
        ]
        raise ValueError(
            f"Expected {wanted} images in {split}, found {len(present)}"
            + (f" ({'; '.join(hints)})" if hints else "")
            + "; complete the download, or give the folder that holds it and nothing else."
        )


def read_names(path: Path) -> list[str]:
    """The names of a split, one a line; lines that begin with ``#`` say where it comes from."""
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def first_of(names: Collection[str]) -> str:
    """Three names in order, for messages."""
    return ", ".join(sorted(names)[:3]) + (", ..." if len(names) > 3 else "")


def _visible_files(folder: Path) -> Iterable[Path]:
    for root, folders, files in os.walk(folder, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name != "__MACOSX")
        yield from (Path(root, name) for name in sorted(files) if not name.startswith("."))
