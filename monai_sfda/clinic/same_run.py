"""Outputs that are there count as done only where they answer the same question."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from monai_sfda.data.pseudonyms import pseudonym
from monai_sfda.files import sha256, whole_file
from monai_sfda.overrides import read_json

try:
    import fcntl
except ImportError:  # not on Windows, where nothing is locked
    fcntl = None  # type: ignore[assignment]

__all__ = ["alone", "refuse_other_masks", "refuse_other_settings"]


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Lock a folder for this process; a process that is killed leaves no lock.

    Raises:
        PermissionError: if another process has locked it.
    """
    if fcntl is None:
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        _lock(handle, folder)
        yield
    finally:
        os.close(handle)


def _lock(handle: int, folder: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise PermissionError(
            f"Expected {folder} to be free, found another run writing to it; wait for it or choose another --output."
        ) from error
    except OSError:  # some network drives cannot lock folders
        return


def refuse_other_settings(report: Path, given: Mapping[str, Any]) -> None:
    """Raises ValueError: if the finished adaptation of ``report.json`` had other settings than those given."""
    done = read_json(report).get("settings", {})
    other = [name for name, value in given.items() if name in done and value != "auto" and _plain(value) != done[name]]
    if other:
        what = ", ".join(f"{name}={done[name]!r} (now {given[name]!r})" for name in other)
        raise ValueError(
            f"Expected the settings of the finished adaptation in {report.parent}: {what}; choose another --output."
        )


def refuse_other_masks(
    folder: str | os.PathLike[str],
    *,
    images: str | os.PathLike[str],
    weights: str | os.PathLike[str],
    salt: str | None = None,
    **decisive: Any,
) -> None:
    """Masks that are there are skipped, so they must be of the same images and come from the same network.

    Keeps what they are of in ``folder/masks_of.json``, which names no place: outputs travel.

    Args:
        folder: output of a prediction, made if missing.
        images: folder of the images.
        weights: file of the network's weights.
        salt: of pseudonyms, if there are any.
        decisive: settings on which masks, or the rows in them, depend; plain values.

    Raises:
        ValueError: if they are of others, or ``folder`` is inside ``images``.
        FileNotFoundError: if there are no weights.
    """
    folder = Path(folder)
    place, target = (os.path.realpath(os.path.expanduser(path)) for path in (images, folder))
    if os.fspath(images) and Path(target).is_relative_to(place):
        raise ValueError(
            f"Expected an output folder outside the images, found {folder} in {images}: its masks would be taken for "
            "images later; choose another output."
        )
    if not Path(weights).is_file():
        raise FileNotFoundError(f"Expected the weights of the network at {weights}, found no file; give --checkpoint.")
    now = {"images": hashlib.sha256(os.fsencode(place)).hexdigest(), "weights": sha256(weights)}
    now |= json.loads(json.dumps(decisive))  # as it comes back from the file
    if salt is not None:
        now["pseudonyms"] = pseudonym("monai_sfda", salt)[:4]  # enough to tell salts apart, too little to find one
    record = folder / "masks_of.json"
    if record.exists() and any((folder / "masks").rglob("*.png")):
        before = read_json(record)
        other = sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
        if other:
            raise ValueError(
                f"Expected the masks in {folder} to be made by the same command, found other {', '.join(other)}; "
                "choose another output."
            )
    with whole_file(record) as draft:
        draft.write_text(json.dumps(now, indent=2) + "\n")


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
