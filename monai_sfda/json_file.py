"""JSON files of named values."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from monai_sfda.files import whole_file

__all__ = ["read_json", "write_json"]


def read_json(path: str | os.PathLike) -> dict[str, Any]:
    """Read named values.

    Raises:
        ValueError: if the file holds something else.
        FileNotFoundError: if it is not there.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"Expected a file at {path}, found none; restore it.")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"Expected JSON in {path}, found a damaged file ({error}); restore it.") from error
    if not isinstance(content, dict):
        raise ValueError(f"Expected named values in {path}, found a {type(content).__name__}; restore it.")
    return content


def write_json(path: str | os.PathLike, content: Any, *, indent: int | None = 2, **options: Any) -> None:
    """Write plain values, all or nothing; ``options`` are those of `json.dumps`."""
    with whole_file(path) as draft:
        draft.write_text(json.dumps(content, indent=indent, **options) + "\n", encoding="utf-8")
