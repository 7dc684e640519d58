"""CSV tables: spreadsheets show every name as it is and run none as a formula; reading gives back what was written."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from monai_sfda.files import whole_file

__all__ = ["harmless", "original", "read_csv", "write_csv"]

ENCODING = "utf-8-sig"  # Excel takes a file that does not begin with a byte order mark for the machine's old code page
# OWASP, "CSV injection"; blanks before a sign and its wide form (East Asian keyboards) count as the sign does.
FORMULA = re.compile(r"[\t\r\n]|\s*[=+\-@\uff1d\uff0b\uff0d\uff20]")


def write_csv(path: str | os.PathLike[str], columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows, all or nothing; a column that a row lacks, or has as None, is an empty cell.

    Args:
        path: the file; its folder is made if missing.
        columns: names, in order.
        rows: column -> text or number; text is made `harmless`.
    """
    # File names that are not valid Unicode must not cost the table; lines end as in RFC 4180, or `\r` is not quoted.
    with whole_file(path) as draft, open(draft, "w", encoding=ENCODING, errors="backslashreplace", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([harmless(name) for name in columns])
        writer.writerows([_cell(row.get(name)) for name in columns] for row in rows)


def read_csv(path: str | os.PathLike[str], columns: Sequence[str] = ()) -> list[dict[str, str]]:
    """Rows of a table of `write_csv`, or of one that a spreadsheet saved, also with ``;`` between cells.

    Cells that a row lacks at its end are empty.

    Args:
        path: the file.
        columns: names that it must have.

    Raises:
        ValueError: if it lacks a column, or is no CSV text in UTF-8.
        OSError: if it cannot be opened.
    """
    try:
        with open(path, encoding=ENCODING, newline="") as file:
            first = file.readline()
            file.seek(0)
            bare = re.sub('"[^"]*"', "", first)
            european = bare.count(";") > bare.count(",")  # Excel where a comma is the decimal sign
            header, *lines = list(csv.reader(file, delimiter=";" if european else ",")) or [[]]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"Expected a table in {path}, found other content; save it as CSV in UTF-8.") from error
    names = [original(name) for name in header]
    if not set(columns) <= set(names):
        raise ValueError(f"Expected the columns {' and '.join(columns)} in {path}, found others; give another file.")
    return [dict(zip_longest(names, map(original, line[: len(names)]), fillvalue="")) for line in lines if line]


def harmless(text: str) -> str:
    """Text that a spreadsheet does not run as a formula: one that would be run, or looks so protected, gets a ``'``."""
    return f"'{text}" if FORMULA.match(text.lstrip("'")) else text


def original(text: str) -> str:
    """What `harmless` was given, of any text."""
    return text[1:] if text.startswith("'") and FORMULA.match(text.lstrip("'")) else text


def _cell(value: Any) -> Any:
    return harmless(value) if isinstance(value, str) else value
