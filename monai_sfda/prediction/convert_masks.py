"""Write each mask of a prediction once more, in another file format."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from monai_sfda.failures import write_failures
from monai_sfda.files import whole_file, without_suffix
from monai_sfda.mask_file import is_volume
from monai_sfda.volumes import read_volume

__all__ = ["Unsuited", "convert_masks"]


Item = Mapping[str, Any]


class Unsuited(ValueError):
    """This image has no such file; the sentence names no file, for names may be a patient's."""


def convert_masks(
    folder: Path,
    name: str,
    suffix: str,
    rows: Iterable[Mapping[str, Any]],
    images: Mapping[str, Item],
    convert: Callable[[Any, np.ndarray], bytes],
) -> int:
    """Write ``folder/name/<path of the mask><suffix>`` of every row; those that are there and newer than the mask stay.

    Rows that have none, and why, are in ``folder/<name>_failures.csv``.

    Args:
        folder: output of a prediction, with its ``masks``.
        name: of the format, and of its folder.
        suffix: of its files.
        rows: with ``file`` and ``mask``.
        images: file -> its item, with the path or paths of the ``image``.
        convert: what ``image`` says and ids uint8 of its mask, (H, W) or (X, Y, Z) -> content of the file.

    Returns:
        How many files there are.
    """
    there, failures = 0, []
    for row in rows:
        mask = folder / "masks" / row["mask"]
        target = folder / name / f"{without_suffix(row['mask'])}{suffix}"
        if not (target.exists() and target.stat().st_mtime_ns >= mask.stat().st_mtime_ns):
            try:
                content = _convert(images.get(row["file"]), mask, convert)
            except Unsuited as error:
                target.unlink(missing_ok=True)  # of the mask as it was
                failures.append({"case": row["file"], "reason": str(error)})
                continue
            with whole_file(target) as draft:
                draft.write_bytes(content)
        there += 1
    write_failures(folder / f"{name}_failures.csv", failures)
    return there


def _convert(item: Item | None, mask: Path, convert: Callable[[Any, np.ndarray], bytes]) -> bytes:
    image = None if item is None else item["image"]
    files = [image] if isinstance(image, str | os.PathLike) else image or []
    if not files or not all(map(os.path.exists, files)):
        raise Unsuited("Expected the image of the mask, found none; restore it.")
    try:
        return convert(image, _ids(mask))
    except Unsuited:
        raise
    except Exception as error:  # as varied as headers; what libraries say may quote a patient
        raise Unsuited(f"Expected a usable header, found another ({type(error).__name__}).") from error


def _ids(mask: Path) -> np.ndarray:
    if is_volume(mask):
        return read_volume(mask).values.astype(np.uint8)
    with Image.open(mask, formats=("PNG",)) as picture:
        return np.asarray(picture)
