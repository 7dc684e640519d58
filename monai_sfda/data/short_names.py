"""Names of files that are no longer than disks take."""

from __future__ import annotations

import hashlib
import os

__all__ = ["short_name"]

LONGEST = 255  # bytes


def short_name(path: str, suffix: str) -> str:
    """A relative path that ends in ``suffix``; too long a name keeps its beginning, and a hash of it tells it apart."""
    folder, slash, name = path.rpartition("/")
    if len(os.fsencode(name)) <= LONGEST:
        return path
    end = f"_{hashlib.sha256(os.fsencode(name)).hexdigest()[:16]}{suffix}"
    beginning = os.fsencode(name)[: LONGEST - len(end)].decode("utf-8", "ignore")
    return f"{folder}{slash}{beginning}{end}"
