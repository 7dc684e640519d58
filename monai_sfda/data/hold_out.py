"""Labelled items for training and for choosing its epoch."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from monai.data import partition_dataset

__all__ = ["hold_out"]


def hold_out(items: Sequence[Any], share: float, *, patient: str | None = None) -> list[list[Any]]:
    """Split items at random, the same way each time, into those to learn from and those to validate on.

    Args:
        items: at least two.
        share: of the items (of the patients, if ``patient`` is given) to validate on, in (0, 1); one at least, for
            without any no weights are kept.
        patient: regular expression that finds the patient in the ``case`` of an item, such as ``"^patient\\d+"``: what
            it finds, or its first group. Items of one patient stay together, for they look alike. None: no two items
            are of one patient. There is no usual pattern: up to the first underscore, all of ``hippocampus_001`` to
            ``hippocampus_394`` would be one patient.

    Returns:
        Two lists.

    Raises:
        ValueError: if there are fewer than two items or patients, ``share`` is out of range, or ``patient`` finds
            nothing in a case.
    """
    if patient is None:
        return _split(items, share, "labelled images")
    owners = [_owner(item["case"], patient) for item in items]
    parts = _split(sorted(set(owners)), share, "patients with labelled images")
    return [[item for item, owner in zip(items, owners, strict=True) if owner in part] for part in parts]


def _split(items: Sequence[Any], share: float, what: str) -> list[list[Any]]:
    if len(items) < 2 or not 0 < share < 1:
        raise ValueError(
            f"Expected at least two {what} and a share in (0, 1), found {len(items)} and {share}: one part "
            "is for training, the other for choosing the epoch."
        )
    count = max(1, len(items) - round(len(items) * (1 - share)))
    return partition_dataset(items, ratios=[len(items) - count, count], shuffle=True, seed=0)


def _owner(case: str, patient: str) -> str:
    found = re.search(patient, case)
    if found is None:
        raise ValueError(
            f"Expected the pattern {patient!r} to find the patient in every case, found none in {case}; correct "
            "patient in task.json."
        )
    return found[1] if found.re.groups else found[0]
