"""Checksums of what was read and what was written, so that a second run can tell whether anything has changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from monai_sfda.datasets.files import first_of
from monai_sfda.files import sha256, whole_file

__all__ = ["SETTINGS", "SOURCES", "WRITTEN", "compare", "read_checksums", "sha256_of", "write_checksums"]

SETTINGS, SOURCES, WRITTEN = "prepared.json", "sources.sha256", "checksums.sha256"


def sha256_of(paths: Iterable[Path], root: Path) -> dict[str, str]:
    """Checksum of each file, by its path relative to ``root``; files that are not there are left out."""
    return {path.relative_to(root).as_posix(): sha256(path) for path in sorted(set(paths)) if path.is_file()}


def write_checksums(path: Path, checksums: Mapping[str, str]) -> None:
    """Write what ``sha256sum --check`` reads, run from the folder that the names are relative to."""
    with whole_file(path) as draft:
        draft.write_text("".join(f"{digest}  {name}\n" for name, digest in checksums.items()), encoding="utf-8")


def read_checksums(path: Path) -> dict[str, str]:
    """Read a file of `write_checksums`."""
    rows = (line.split("  ", 1) for line in path.read_text(encoding="utf-8").splitlines())
    return {name: digest for digest, name in rows}


def compare(out: Path, record: str, sources: Mapping[str, str]) -> None:
    """Refuse a folder that was not made from these files with these settings, or was changed since.

    Args:
        out: a folder that is there.
        record: what its ``prepared.json`` has to hold.
        sources: checksums of the files of the download, as `sha256_of` gives them.

    Raises:
        ValueError: saying what is different, and the first names.
    """
    remedy = "give another folder or delete this one"
    if not all((out / name).is_file() for name in (SETTINGS, SOURCES, WRITTEN)):
        raise ValueError(f"Expected {out} to be new, empty or of an earlier run, found other files; {remedy}.")
    if (out / SETTINGS).read_text(encoding="utf-8") != record:
        raise ValueError(f"Expected {out} to be made with the same settings, found others ({SETTINGS}); {remedy}.")
    before, written = read_checksums(out / SOURCES), read_checksums(out / WRITTEN)
    changed = sorted(name for name in before.keys() | sources if before.get(name) != sources.get(name))
    if changed:
        raise ValueError(
            f"Expected the download that {out} was made from, found {len(changed)} files changed, added or gone "
            f"({first_of(changed)}); find out which of the two is right, and {remedy}."
        )
    there = (path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file() and path.name[0] != ".")
    added = sorted({*there} - {*written, SETTINGS, SOURCES, WRITTEN})
    if added:
        raise ValueError(
            f"Expected {out} as it was first written, found {len(added)} files added ({first_of(added)}); {remedy}."
        )
    now = sha256_of((out / name for name in written), out)
    damaged = [name for name, digest in written.items() if now.get(name) != digest]
    if damaged:
        raise ValueError(
            f"Expected {out} as it was first written, found {len(damaged)} files changed or gone "
            f"({first_of(damaged)}); {remedy}."
        )
