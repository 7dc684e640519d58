"""Files: suffixes and names of images, writing completely or not at all, weights, checksums."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = [
    "SUFFIXES",
    "brief_hash",
    "case_of",
    "paths_of",
    "readable_path",
    "save_tensors",
    "sha256",
    "whole_file",
    "without_suffix",
]

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".dcm", ".dicom", ".ima", ".nii", ".nii.gz")
"""Of the image files that are read, in lower case."""


def without_suffix(name: str) -> str:
    """A name or path without its image suffix, in whatever case that is; other dots stay."""
    suffix = max((s for s in SUFFIXES if name.lower().endswith(s)), key=len, default="")
    return name[: len(name) - len(suffix)]


def case_of(item: Any) -> str:
    """Name of an item of a datalist: its ``case``; without one, the (first) path of its ``image`` or ``label``.

    Raises:
        ValueError: if it has none of them.
    """
    if isinstance(item, Mapping):
        for name in (item.get("case"), item.get("image"), item.get("label")):
            path = getattr(name, "meta", {}).get("filename_or_obj", name)  # of an image that MONAI has read
            path = path[0] if isinstance(path, list | tuple) and path else path
            if isinstance(path, str | os.PathLike | int):
                return os.fspath(path) if isinstance(path, os.PathLike) else str(path)
    found = f"the keys {', '.join(map(str, item))}" if isinstance(item, Mapping) else f"a {type(item).__name__}"
    raise ValueError(f'Expected items such as {{"image": path, "case": its name}}, found {found}; add the path.')


def paths_of(image: str | os.PathLike | Sequence[str]) -> list[str]:
    """The files of an ``image`` of a datalist: one path, or those of a series."""
    return [os.fspath(image)] if isinstance(image, str | os.PathLike) else [os.fspath(path) for path in image]


def readable_path(path: Path) -> str:
    """A path with forward slashes, in which bytes of old file systems that are no text are written as ``\\xff``.

    Names end up in tables, reports and masks.
    """
    return os.fsencode(path.as_posix()).decode("utf-8", "backslashreplace")


@contextmanager
def whole_file(path: str | os.PathLike) -> Iterator[Path]:
    """Give a draft beside ``path`` to write to, and move it into place when the block ends without an error.

    A process killed at any moment leaves the old file or the new one, never half of one; a reader likewise sees one of
    the two. The draft keeps the suffix, is hidden, and is named after the process, so that two do not share it. The
    folder is made if missing.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Names may be up to 255 bytes long, with nothing left to add to.
    stem = path.stem if len(os.fsencode(path.name)) < 230 else hashlib.sha256(os.fsencode(path.stem)).hexdigest()[:16]
    draft = path.with_name(f".{stem}.{os.getpid()}{path.suffix}")
    try:
        yield draft
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def save_tensors(value: Any, path: Path) -> None:
    """As ``torch.save``, which has an error of its own for a full disk; here it is an OSError, as everywhere."""
    import torch  # slow, and only this needs it

    content = io.BytesIO()
    torch.save(value, content)
    path.write_bytes(content.getbuffer())


def sha256(path: str | os.PathLike) -> str:
    """Hexadecimal SHA-256 of a file."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def brief_hash(path: str | os.PathLike | Sequence[str]) -> str:
    """16 hexadecimal digits over the size and 64 blocks of 4 KiB of a file: tells pictures apart, quickly.

    The blocks lie evenly from the first bytes to the last, for uncompressed pictures begin and end in black. Of several
    files, the digits of all in their order count.
    """
    if not isinstance(path, str | os.PathLike):
        return hashlib.sha256("".join(map(brief_hash, path)).encode()).hexdigest()[:16]
    block, blocks = 1 << 12, 64
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        digest = hashlib.sha256(b"%d" % size)
        if size <= block * blocks:
            digest.update(file.read())
        else:
            for number in range(blocks):
                file.seek(number * (size - block) // (blocks - 1))
                digest.update(file.read(block))
    return digest.hexdigest()[:16]
