"""Replace names by pseudonyms that cannot be linked to a name without the salt."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from monai_sfda.files import case_of
from monai_sfda.mask_file import SUFFIXES, is_volume
from monai_sfda.tables import read_csv, write_csv

__all__ = ["pseudonym", "pseudonymise"]

LEAST = 8
COLUMNS = ("case", "pseudonym")


def pseudonymise(
    items: Sequence[dict[str, str]],
    salt: str | None,
    *,
    table: str | Path | None = None,
    keep: Callable[[str], str] | None = None,
    study_and_frame: Callable[[str], tuple[str, str] | None] | None = None,
) -> list[dict[str, str]]:
    """Replace ``case`` and ``output`` of each item, folders included, by a keyed hash of the case.

    What ``keep`` says of a name stands in ``kept``, so that it is not lost with it. A frame of a study is called by the
    hashes of the study and of its own name, with the frame between them, ``0123456789abcdef_frame12_01234567``, so that
    the frames of a study are still known to belong together.

    Args:
        items: as of `find_images`.
        salt: the key, at least 8 characters, to be kept secret; None changes nothing.
        table: CSV file ``case,pseudonym`` to write, the only way back; cases that it has stay. None writes none.
        keep: what of a case tells nobody whose image it is, such as the eye, see `Findings.keep`. None keeps nothing.
        study_and_frame: see `Findings.study_and_frame`; None takes each image for one of its own.

    Raises:
        ValueError: if the salt is too short, or there is a table but no salt.
    """
    if salt is None and table is not None:
        raise ValueError("Expected a --pseudonym_salt with --pseudonym_table, found none: names would not be hidden.")
    if salt is None:
        return list(items)
    items = [{"case": case_of(item), **item} for item in items]
    names = [_name(item["case"], salt, study_and_frame) for item in items]
    if table is not None:
        table = Path(table).expanduser()
        known = _known(table) | {name: item["case"] for name, item in zip(names, items, strict=True)}
        write_csv(table, COLUMNS, ({"case": case, "pseudonym": name} for name, case in known.items()))
    return [
        {**item, "case": name, "output": f"{name}{_suffix(item)}", "kept": keep(item["case"]) if keep else ""}
        for item, name in zip(items, names, strict=True)
    ]


def _name(case: str, salt: str, study_and_frame: Callable[[str], tuple[str, str] | None] | None) -> str:
    own = pseudonym(case, salt)
    found = study_and_frame(case) if study_and_frame else None
    if found is None or not re.fullmatch(r"\w+", found[1]):
        return own
    return f"{pseudonym(found[0], salt)}_frame{found[1]}_{own[:8]}"


def _suffix(item: Mapping[str, Any]) -> str:
    return SUFFIXES[is_volume(item.get("output", ""))]


def _known(table: Path) -> dict[str, str]:
    """Pseudonym -> case."""
    if not table.exists():
        return {}
    return {row["pseudonym"]: row["case"] for row in read_csv(table, COLUMNS) if len(row) >= len(COLUMNS)}


def pseudonym(name: str, salt: str) -> str:
    """The first 16 hexadecimal digits of HMAC-SHA256: of a million names, two agree once in 30 million times."""
    if len(str(salt)) < LEAST:
        raise ValueError(f"Expected a salt of at least {LEAST} characters, found {len(str(salt))}; give a longer one.")
    return hmac.new(str(salt).encode("utf-8", "surrogateescape"), name.encode(), hashlib.sha256).hexdigest()[:16]
