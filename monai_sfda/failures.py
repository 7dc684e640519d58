"""Record images that failed, and why; each gets a row, and the others are processed."""

from __future__ import annotations

import errno
import logging
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import ignite.distributed as idist

from monai_sfda.files import case_of
from monai_sfda.root_cause import root_cause
from monai_sfda.tables import read_csv, write_csv

__all__ = ["Failures", "clear_drafts", "count_failures", "read_failures", "reason", "write_failures"]

COLUMNS = ("case", "reason")

logger = logging.getLogger(__name__)


class Failures:
    """Rows of ``case`` and ``reason``; any thread may add one.

    Args:
        rows: those known already.
    """

    def __init__(self, rows: Iterable[Mapping[str, str]] = ()) -> None:
        self.rows = {row["case"]: row["reason"] for row in rows}

    def add(self, item: Mapping[str, Any], error: BaseException) -> None:
        """Note why an item, with the path ``image`` and perhaps a ``case``, failed; the reason names no folder."""
        case = case_of(item)
        path = Path(case_of({**item, "case": None}))
        text = reason(error, path)
        if names := _hidden(item, case, path):
            text = re.sub(rf"(?<!\w)(?:{'|'.join(names)})(?!\w)", lambda _: case.rpartition("/")[2], text)
        self.rows[case] = text

    def write(self, path: str | os.PathLike[str], *, images: int) -> None:
        """Write the rows of all processes as CSV, sorted.

        Args:
            path: the file; only the first process writes it.
            images: how many there were in all.

        Raises:
            ValueError: if all of them failed.
        """
        rows = dict(sorted(self._gathered().items()))
        if idist.get_rank() == 0:
            write_failures(path, [{"case": case, "reason": why} for case, why in rows.items()])
        if not rows:
            return
        case, why = next(iter(rows.items()))
        if len(rows) >= images:
            raise ValueError(
                f"Expected at least 1 readable image(s), found 0 of {images} (first failure: {case}: {why}); "
                "replace or add files."
            )
        logger.warning("%d of %d images failed and are left out (%s: %s).", len(rows), images, case, why)

    def _gathered(self) -> dict[str, str]:
        if idist.get_world_size() == 1:
            return self.rows
        return {case: why for part in idist.all_gather(self.rows) for case, why in part.items()}  # type: ignore[union-attr]


def _hidden(item: Mapping[str, Any], case: str, path: Path) -> list[str]:
    """Names of files, escaped: where the case is a pseudonym, they are not to be read in the reason either."""
    image = item.get("image")
    if not isinstance(image, list | tuple):
        named = case.rpartition("/")[2].startswith(f"{path.name} frame ")
        return [] if named else [re.escape(path.name)]
    return [re.escape(Path(file).name) for file in image] if "kept" in item else []


def write_failures(path: str | os.PathLike[str], failures: Sequence[Mapping[str, str]]) -> None:
    """Write ``case,reason`` rows as CSV, all or nothing; without failures only the header."""
    write_csv(path, COLUMNS, failures)


def read_failures(path: str | Path) -> list[dict[str, str]]:
    """Rows of a file of `write_failures`, every name as it was."""
    return read_csv(path, COLUMNS)


def count_failures(path: str | Path) -> int:
    """Number of rows of a file of `write_failures`."""
    return len(read_failures(path))


def reason(error: BaseException, path: Path) -> str:
    """One sentence without the folders of ``path``; what MONAI's transforms wrapped, where they did."""
    error = root_cause(error)
    text = str((isinstance(error, OSError) and error.strerror) or error or type(error).__name__)
    if isinstance(error, FileNotFoundError) and text == os.strerror(errno.ENOENT):
        text = "Expected a file, found none (a link may point to a file that no longer exists); restore it."
    # The longest first: what a relative folder leaves of an absolute one would name the rest.
    for folder in (os.path.realpath(path.parent), os.path.abspath(path.parent), str(path.parent)):
        text = text.replace(f"{folder}{os.sep}", "")
    return text.strip().split("\n")[0] or type(error).__name__


def clear_drafts(folder: str | Path) -> None:
    """Delete what killed processes left of `monai_sfda.files.whole_file` below a folder that no other one writes to."""
    if idist.get_rank() == 0:
        for draft in Path(folder).rglob(".*.*"):
            if draft.name.split(".")[-2].isdigit() and draft.is_file():
                draft.unlink(missing_ok=True)
