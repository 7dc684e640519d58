"""Slices of cine series, told apart by their number in the series, as one volume per heart phase.

Shapes: H rows and W columns of a slice; a volume is (W, H, slices), as NIfTI counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from monai_sfda.datasets.labelled_volumes import Case

__all__ = ["PHASES", "Slice", "frames", "stack"]

PHASES = 20
"""Of each slice in the Sunnybrook series: image n of a series is slice (n - 1) // 20 and phase (n - 1) % 20 + 1."""


class Slice(NamedTuple):
    """One image of a cine series."""

    patient: str
    number: int
    """In its series, from 1."""
    image: Path
    contour: Path | None
    """None where nobody drew one."""
    part: str = ""
    """Of the dataset."""

    @property
    def phase(self) -> int:
        """From 1 to `PHASES`."""
        return (self.number - 1) % PHASES + 1

    @property
    def level(self) -> int:
        """Place in the stack, from 1."""
        return (self.number - 1) // PHASES + 1


def frames(
    slices: Iterable[Slice], area: Callable[[Slice], float], about: Mapping[str, object]
) -> dict[str, tuple[Case, list[Slice]]]:
    """The two phases of each patient that have most contours, as volumes from the first contoured slice to the last.

    End diastole is the one with the larger cavity. Slices without a contour between contoured ones stay in their place,
    if they are given.

    Args:
        slices: of all patients, with contours and without.
        area: of the cavity in a slice that has a contour, in pixels.
        about: more columns for ``index.csv``.

    Returns:
        By name, such as ``SC-HF-I-01_phase08``: the case, and its slices by level.

    Raises:
        ValueError: if a patient has fewer than two phases with contours.
    """
    patients: dict[str, list[Slice]] = {}
    for one in slices:
        patients.setdefault(one.patient, []).append(one)
    found = {}
    for patient, those in sorted(patients.items()):
        phases = [phase for phase, _ in Counter(one.phase for one in those if one.contour).most_common(2)]
        if len(phases) < 2:
            raise ValueError(
                f"Expected contours of end diastole and end systole of {patient}, found those of {len(phases)} phases; "
                "complete the download."
            )
        stacks = {phase: _contoured([one for one in those if one.phase == phase]) for phase in phases}
        volumes = {phase: sum(area(one) for one in stack if one.contour) for phase, stack in stacks.items()}
        for phase, stack in sorted(stacks.items()):
            name = f"{patient}_phase{phase:02d}"
            frame = "ED" if volumes[phase] == max(volumes.values()) else "ES"
            found[name] = (_case(name, stack, frame, about), stack)
    return found


def _contoured(slices: Iterable[Slice]) -> list[Slice]:
    """By level, from the first with a contour to the last."""
    ordered = sorted(slices, key=lambda one: one.number)
    places = [place for place, one in enumerate(ordered) if one.contour]
    return ordered[places[0] : places[-1] + 1]


def _case(name: str, slices: Sequence[Slice], frame: str, about: Mapping[str, object]) -> Case:
    first, last = slices[0], slices[-1]
    contoured = {one.level for one in slices if one.contour}
    row = {
        "patient": first.patient,
        "frame": frame,
        "phase": first.phase,
        "part": first.part,
        "slices": len(slices),
        "first_number": first.number,
        "last_number": last.number,
        "levels_without_contour": " ".join(str(n) for n in range(first.level, last.level) if n not in contoured),
        **about,
    }
    files = (*(one.image for one in slices), *(one.contour for one in slices if one.contour))
    return Case(name, files, row)


def stack(slices: Sequence[np.ndarray]) -> np.ndarray:
    """(W, H, slices) from slices (H, W).

    Raises:
        ValueError: if they differ in size.
    """
    sizes = sorted({one.shape for one in slices})
    if len(sizes) > 1:
        found = " and ".join(f"{height} x {width}" for height, width in sizes)
        raise ValueError(f"Expected slices of one size in a volume, found {found}; download them again.")
    return np.stack([one.T for one in slices], axis=-1)
