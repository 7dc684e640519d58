"""A prepared dataset is complete or not there at all, and a second run says whether anything has changed."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from monai_sfda.datasets.checksums import SETTINGS, SOURCES, WRITTEN, compare, sha256_of, write_checksums
from monai_sfda.datasets.files import first_of

__all__ = ["make_whole", "refuse_unusable"]


def make_whole(
    out: Path, settings: Mapping[str, object], read: Sequence[Path], listed: str, write: Callable[[Path], None]
) -> str:
    """Write a dataset, or compare it with what an earlier run wrote; return one sentence about the result.

    ``out`` appears when everything in it is written: an interrupted run leaves nothing that looks complete. Beside what
    ``write`` makes it holds ``prepared.json`` (the settings), ``checksums.sha256`` (the files written) and
    ``sources.sha256`` (the files read, relative to the innermost folder that holds them all), as ``sha256sum`` reads
    them.

    Args:
        out: new or empty folder, or one of an earlier run.
        settings: all that decides about the files written, JSON values.
        read: every file of the download that is used.
        listed: what the dataset holds, for the sentence.
        write: is given an empty folder and fills it.

    Raises:
        ValueError: if ``out`` holds something else, or the download or the files written differ from the first run's.
    """
    record = json.dumps(settings, indent=1) + "\n"
    sources = sha256_of(read, Path(os.path.commonpath([path.parent for path in read])))
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        compare(out, record, sources)
        return f"{out}: as it was first written, {len(sources)} files read and their checksums the same ({listed})."
    with _whole_folder(out) as draft:
        write(draft)
        write_checksums(draft / WRITTEN, sha256_of(draft.rglob("*"), draft))
        write_checksums(draft / SOURCES, sources)
        (draft / SETTINGS).write_text(record, encoding="utf-8")
    return f"{out}: {listed}."


def refuse_unusable(kind: str, count: int, failures: Iterable[tuple[str, str]]) -> None:
    """Raise if anything failed, naming the first.

    Args:
        kind: what there are ``count`` of, such as ``images``.
        failures: name and reason of each that cannot be used.

    Raises:
        ValueError: with the number of failures, three names, and the first reason.
    """
    failed = dict(failures)
    if failed:
        name, reason = next(iter(failed.items()))
        raise ValueError(
            f"Expected {count} usable {kind}, found {len(failed)} that are not ({first_of(failed)}); nothing was "
            f"written. The first, {name}: {reason}"
        )


@contextmanager
def _whole_folder(out: Path) -> Iterator[Path]:
    """Give a hidden folder beside ``out`` to write to, and move it into place when the block ends without an error."""
    out.parent.mkdir(parents=True, exist_ok=True)
    draft = out.parent / f".{out.name}.{os.getpid()}"
    draft.mkdir()
    try:
        yield draft
        if out.exists():
            out.rmdir()
        os.replace(draft, out)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
