"""The folders that a command reads and writes. Imports nothing: the console command looks at them first."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # not on Windows, where nothing is locked
    fcntl = None  # type: ignore[assignment]

__all__ = ["alone", "existing_folder", "real_path", "refuse_inside"]

WRITTEN = ("masks", "overlays", "nifti", "dicom_seg")
"""Folders that a prediction writes into its output."""


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


def existing_folder(folder: str | Path) -> Path:
    remedy = "give the folder that holds the images (--dataset_dir of a bundle)"
    if not str(folder):
        raise FileNotFoundError(f"Expected a folder of images, found an empty name; {remedy}.")
    root = Path(folder).expanduser()
    if not root.exists():
        raise FileNotFoundError(f"Expected a folder of images at {root}, found nothing there; {remedy}.")
    if not root.is_dir():
        raise NotADirectoryError(f"Expected a folder of images at {root}, found a file; {remedy}.")
    return root


def refuse_inside(images: str | os.PathLike[str], output: str | os.PathLike[str]) -> None:
    """Outputs and images must not mix: masks would be taken for images later, and images for masks.

    Raises:
        ValueError: if ``output`` is inside ``images``, or they are in a folder that a prediction writes in ``output``.
    """
    source, target = Path(real_path(images)), Path(real_path(output))
    if target.is_relative_to(source):
        raise ValueError(
            f"Expected an output folder outside the images, found {output} in {images}: its masks would be taken for "
            "images later; choose another output."
        )
    if any(source.is_relative_to(real_path(target / name)) for name in WRITTEN):
        raise ValueError(
            f"Expected images outside the output, found {images} where masks go in {output}; choose another output."
        )


def real_path(path: str | os.PathLike[str]) -> str:
    """A path without links, ``..`` and ``~``."""
    return os.path.realpath(os.path.expanduser(path))
