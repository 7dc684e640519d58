"""Write each mask of a prediction once more, in another file format."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from monai_sfda.failures import write_failures
from monai_sfda.files import paths_of, whole_file, without_suffix
from monai_sfda.mask_file import is_volume
from monai_sfda.volumes import read_volume

__all__ = ["Unsuited", "convert_masks", "outdated"]

Item = Mapping[str, Any]


class Unsuited(ValueError):
    """This image has no such file; the sentence names no file, for names may be a patient's."""


def convert_masks(
    folder: Path,
    name: str,
    suffix: str,
    rows: Iterable[Mapping[str, Any]],
    images: Mapping[str, Item],
    convert: Callable[[Item, np.ndarray], bytes],
) -> None:
    """Write ``folder/name/<path of the mask><suffix>`` of every row; those that are there and newer than the mask stay.

    Rows that have none, and why, are in ``folder/<name>_failures.csv``.

    Args:
        folder: output of a prediction, with its ``masks``.
        name: of the format, and of its folder.
        suffix: of its files.
        rows: with ``file`` and ``mask``.
        images: file -> its item, with the path or paths of the ``image``.
        convert: an item and ids uint8 of its mask, (H, W) or (X, Y, Z) -> content of the file.
    """
    failures = []
    for row, mask, target in outdated(folder, name, suffix, rows):
        try:
            content = _convert(images.get(row["file"]), mask, convert)
        except Unsuited as error:
            failures.append({"case": row["file"], "reason": str(error)})
            continue
        with whole_file(target) as draft:
            draft.write_bytes(content)
    write_failures(folder / f"{name}_failures.csv", failures)


def outdated(
    folder: Path, name: str, suffix: str, rows: Iterable[Mapping[str, Any]]
) -> Iterator[tuple[Mapping[str, Any], Path, Path]]:
    """Rows whose file ``folder/name/<path of the mask><suffix>`` is missing or older than the mask, and then deleted.

    Yields:
        The row, its mask, and the file to write.
    """
    for row in rows:
        mask = folder / "masks" / row["mask"]
        target = folder / name / f"{without_suffix(row['mask'])}{suffix}"
        if not (target.exists() and target.stat().st_mtime_ns >= mask.stat().st_mtime_ns):
            target.unlink(missing_ok=True)
            yield row, mask, target


def _convert(item: Item | None, mask: Path, convert: Callable[[Item, np.ndarray], bytes]) -> bytes:
    if item is None or not all(map(os.path.exists, paths_of(item["image"]))):
        raise Unsuited("Expected the image of the mask, found none; restore it.")
    try:
        return convert(item, _ids(mask))
    except Unsuited:
        raise
    except Exception as error:  # as varied as headers; what libraries say may quote a patient
        raise Unsuited(f"Expected a usable header, found another ({type(error).__name__}).") from error


def _ids(mask: Path) -> np.ndarray:
    if is_volume(mask):
        return read_volume(mask).values.astype(np.uint8)
    with Image.open(mask, formats=("PNG",)) as picture:
        return np.asarray(picture)
