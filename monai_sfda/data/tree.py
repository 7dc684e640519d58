"""The files of a folder tree, without what operating systems and file servers keep there for themselves."""

from __future__ import annotations

import logging
import os
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

__all__ = ["counted", "is_system_folder", "visible_files"]

SYSTEM_FOLDERS = (
    *("@eadir", "@tmp", "@sharebin", "#recycle", "#snapshot"),  # Synology
    *("@recycle", "@recently-snapshot", ".@__thumb", "network recycle bin*"),  # QNAP
    *("~snapshot", ".snapshot", ".snapshots", ".zfs", ".recycle", ".recycle.bin", "trashbox"),  # other file servers
    *("$recycle.bin", "recycler", "recycled", "system volume information", "found.[0-9][0-9][0-9]"),  # Windows
    *("__macosx", ".trashes", ".trash", ".temporaryitems", "temporary items", "network trash folder"),  # macOS
    *("lost+found", ".trash-*"),  # Linux
    *("thumbs", ".thumbs", "thumbnails", ".thumbnails"),
)
"""Names or patterns, in lower case: one that only resembles them, such as ``@home`` or ``#1``, is a user's folder."""

logger = logging.getLogger(__name__)


def is_system_folder(name: str) -> bool:
    """Whether a folder of that name holds thumbnails, deleted files or snapshots, which are nobody's images."""
    return any(fnmatchcase(name.casefold(), pattern) for pattern in SYSTEM_FOLDERS)


def visible_files(root: Path, left_out: Iterable[str | Path] = ()) -> list[Path]:
    """Files below ``root`` that are not hidden; system folders are left out with a warning that counts them.

    Every real folder is entered once, linked ones last, so that links cannot loop.

    Args:
        root: the folder; its own name does not matter.
        left_out: files or folders not to be listed.

    Raises:
        PermissionError: if ``root`` may not be read; a folder below that may not be is left out with a warning.
    """
    seen = {os.path.realpath(path) for path in left_out}
    unwanted, files, system = frozenset(seen), [], Counter[str]()
    folders = deque([root])
    while folders:
        folder = folders.popleft()
        real = os.path.realpath(folder)
        if real in seen and folder != root:
            continue
        seen.add(real)
        for path in (folder / name for name in _names(folder, root)):
            if is_system_folder(path.name) and os.path.isdir(path):
                system[path.name] += 1
            elif path.name.startswith("."):
                continue
            elif os.path.isdir(path):
                (folders.append if path.is_symlink() else folders.appendleft)(path)
            elif os.path.realpath(path) not in unwanted and (os.path.isfile(path) or not os.path.exists(path)):
                files.append(path)
    if system:
        logger.warning(
            "Folders of the operating system or the file server are left out: %s; to read one of them all the same, "
            "give that folder itself.",
            counted(system),
        )
    return files


def counted(counts: Counter[str]) -> str:
    """``3 x, 1 y``, the five most frequent first."""
    shown = ", ".join(f"{count} {name}" for name, count in counts.most_common(5))
    return shown + (", ..." if len(counts) > 5 else "")


def _names(folder: Path, root: Path) -> Sequence[str]:
    try:
        return sorted(os.listdir(folder))
    except PermissionError as error:
        if folder == root:
            message = f"Expected a readable folder at {root}, found no permission; ask its owner for read access."
            raise PermissionError(message) from error
        logger.warning("The folder %s is left out: no permission to read it.", folder)
        return []
