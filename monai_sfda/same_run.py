"""Decide whether existing outputs belong to the same run, and so count as done."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from monai_sfda.data.pseudonyms import pseudonym
from monai_sfda.files import sha256
from monai_sfda.json_file import read_json, write_json
from monai_sfda.mask_file import SUFFIXES
from monai_sfda.places import real_path, refuse_inside

__all__ = ["refuse_other_adaptation", "refuse_other_masks", "refuse_other_scores"]


def refuse_other_adaptation(
    folder: Path,
    *,
    images: str | os.PathLike[str],
    weights: str | os.PathLike[str],
    given: Mapping[str, Any],
    source: str | os.PathLike[str] | None = None,
) -> None:
    """Refuse a finished adaptation with other images, weights or settings.

    Keeps what it is of in ``folder/checkpoints/adaptation_of.json``, which names no place: outputs travel. An
    unfinished one is told apart by its checkpoint.

    Args:
        folder: output of the adaptation.
        images: folder of the images.
        weights: file of the source weights.
        given: settings by name, as a person gave them.
        source: folder of labelled source images, if there are any.

    Raises:
        ValueError: if the adaptation that ``folder/report.json`` reports is of others.
    """
    record, report = folder / "checkpoints" / "adaptation_of.json", folder / "report.json"
    settings = read_json(report).get("settings", {}) if report.exists() else {}
    now: dict[str, Any] = {
        "images": _place_hash(images),
        "weights": sha256(weights) if Path(weights).is_file() else None,
        "options": {name: repr(value) for name, value in given.items() if name not in settings or _refers(value)},
    }
    if source is not None:
        now["source"] = _place_hash(source)
    if not report.exists():
        write_json(record, now)
        return
    before = read_json(record) if record.exists() else now
    before["options"] = {
        name: value for name, value in before["options"].items() if name not in settings or name in now["options"]
    }
    other = [name for name in now if before.get(name) != now[name]]
    other += [
        f"{name}={settings[name]!r} (now {value!r})"
        for name, value in given.items()
        if name in settings and value != "auto" and not _refers(value) and _plain(value) != settings[name]
    ]
    if other:
        raise ValueError(
            f"Expected the images, weights and settings of the finished adaptation in {folder}, found other "
            f"{', '.join(other)}; choose another --output."
        )


def refuse_other_masks(
    folder: str | os.PathLike[str],
    *,
    images: str | os.PathLike[str],
    weights: str | os.PathLike[str],
    salt: str | None = None,
    **decisive: Any,
) -> None:
    """Refuse existing masks, which would be skipped, unless they belong to the same images and network.

    Keeps what they are of in ``folder/masks_of.json``, which names no place: outputs travel.

    Args:
        folder: output of a prediction, made if missing.
        images: folder of the images.
        weights: file of the network's weights.
        salt: of pseudonyms, if there are any.
        decisive: settings on which masks, or the rows in them, depend; plain values.

    Raises:
        ValueError: if they are of others, or as `refuse_inside`.
        FileNotFoundError: if there are no weights.
    """
    folder = Path(folder)
    if os.fspath(images):
        refuse_inside(images, folder)
    now = _of(images, weights, decisive)
    if salt is not None:
        now["pseudonyms"] = pseudonym("monai_sfda", salt)[:4]  # enough to tell salts apart, too little to find one
    done = any(path for suffix in SUFFIXES for path in (folder / "masks").rglob(f"*{suffix}"))
    _refuse_other(folder / "masks_of.json", now, "masks", done=done)


def refuse_other_scores(
    folder: str | os.PathLike[str],
    *,
    dataset: str | os.PathLike[str],
    weights: str | os.PathLike[str],
    **decisive: Any,
) -> None:
    """Refuse existing scores, which would be replaced, unless they belong to the same dataset and network.

    Keeps what they are of in ``folder/scores_of.json``, which names no place: outputs travel.

    Args:
        folder: output of an evaluation, made if missing.
        dataset: labelled folder.
        weights: file of the network's weights.
        decisive: settings on which scores depend; plain values.

    Raises:
        ValueError: if they are of others.
        FileNotFoundError: if there are no weights.
    """
    folder = Path(folder)
    _refuse_other(
        folder / "scores_of.json", _of(dataset, weights, decisive), "scores", done=(folder / "cases.csv").exists()
    )


def _of(images: str | os.PathLike[str], weights: str | os.PathLike[str], decisive: Mapping[str, Any]) -> dict[str, Any]:
    if not Path(weights).is_file():
        raise FileNotFoundError(f"Expected the weights of the network at {weights}, found no file; give --checkpoint.")
    plain = json.loads(json.dumps(decisive))  # as it comes back from the file
    return {"images": _place_hash(images), "weights": sha256(weights), **plain}


def _refuse_other(record: Path, now: Mapping[str, Any], what: str, *, done: bool) -> None:
    if record.exists() and done:
        before = read_json(record)
        other = sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
        if other:
            raise ValueError(
                f"Expected the {what} in {record.parent} to be made by the same command, found other "
                f"{', '.join(other)}; choose another output."
            )
    write_json(record, now)


def _place_hash(folder: str | os.PathLike[str]) -> str:
    return hashlib.sha256(os.fsencode(real_path(folder))).hexdigest()


def _refers(value: Any) -> bool:
    """Whether an option takes its value from elsewhere, such as ``@cutoff``."""
    return isinstance(value, str) and value.startswith(("@", "$"))


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
