"""The folders that a command reads and writes. Imports nothing slow: the console command looks at them first."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["existing_folder", "labelled_folder", "lock_folder", "real_path", "refuse_inside"]

WRITTEN = ("masks", "overlays", "nifti", "dicom_seg")
"""Folders that a prediction writes into its output."""


@contextmanager
def lock_folder(folder: Path, *, wait: float = 0) -> Iterator[None]:
    """Lock a folder for this process, by a hidden file in it; a process that is killed leaves no lock.

    Args:
        folder: the folder.
        wait: seconds to wait for another process.

    Raises:
        PermissionError: if another process has locked it.
    """
    from filelock import FileLock, Timeout  # only the commands that write need it

    file = folder / ".lock"
    lock = FileLock(file, timeout=wait, fallback_to_soft=False)  # a soft lock would outlive a killed process
    try:
        lock.acquire()
    except Timeout:
        raise PermissionError(
            f"Expected {folder} to be free, found another run writing to it; wait for it or choose another --output."
        ) from None
    except PermissionError:
        raise
    except OSError:  # some network drives cannot lock files
        pass
    try:
        yield
    finally:
        if lock.is_locked:
            with suppress(OSError):  # Windows deletes it after the release
                file.unlink()
            lock.release()


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


def labelled_folder(folder: str | Path) -> Path:
    """A folder that holds the folders ``image`` and ``mask``.

    Raises:
        OSError: if it, or one of them, is missing.
    """
    root = existing_folder(folder)
    missing = [name for name in ("image", "mask") if not (root / name).is_dir()]
    if missing:
        raise FileNotFoundError(
            f"Expected the folders image and mask in {root}, found no {' and no '.join(missing)}; "
            "lay the data out as image/NAME.png and mask/NAME.png."
        )
    return root


def refuse_inside(images: str | os.PathLike[str], output: str | os.PathLike[str]) -> None:
    """Refuse outputs among images, and images among outputs: masks would later be taken for images.

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
            f"Expected images outside the output, found {images} in a folder of {output} that receives masks; "
            "choose another output."
        )


def real_path(path: str | os.PathLike[str]) -> str:
    """A path without links, ``..`` and ``~``."""
    return os.path.realpath(os.path.expanduser(path))
