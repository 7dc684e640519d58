"""Which predictions a person should look at: named flags from the numbers of one image, each with its limit.

A flag says that something is unusual, not that the mask is wrong; a mask without a flag can be wrong too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import gt, lt
from typing import Any

from monai_sfda.digits import in_digits
from monai_sfda.findings import Findings, Flag
from monai_sfda.prediction.no_findings import NO_FINDINGS

__all__ = ["FLAGS", "VOLUME_FLAGS", "Judge"]

FLAGS = {
    "missing": Flag("{}_pixels", "below", "the structure has fewer pixels than the limit"),
    "in_pieces": Flag(
        "{}_largest_piece", "below", "the share of the structure in its largest piece is below the limit"
    ),
    "unsure": Flag("{}_confidence", "below", "confidence below the limit"),
    "unstable": Flag(
        "{}_flip_agreement",
        "below",
        "the agreement between the masks of the image and of its mirror images is below the limit",
    ),
    "blurred": Flag("sharpness", "below", "sharpness below the limit"),
    "dark": Flag("brightness", "below", "the mean brightness is below the limit"),
    "overexposed": Flag("clipped", "above", "the share of overexposed pixels is above the limit"),
    "low_contrast": Flag("contrast", "below", "the standard deviation of the grey levels is below the limit"),
    "narrow_field": Flag("field", "below", "the share of the image outside the black surround is below the limit"),
}
"""Flags of every task on pictures, the most alarming first. docs/columns.md says where the limits come from."""

VOLUME_FLAGS = {
    "missing": Flag("{}_voxels", "below", "the structure has fewer voxels than the limit"),
    "in_pieces": FLAGS["in_pieces"],
    "gap": Flag(
        "{}_empty_slices", "above", "more slices without the structure than the limit, between slices that show it"
    ),
    "at_border": Flag(
        "{}_border_voxels", "above", "more voxels of the structure than the limit touch the border of their slice"
    ),
    "unsure": FLAGS["unsure"],
    "unstable": FLAGS["unstable"],
}
"""Flags of every task on volumes, the most alarming first."""


def _outside(value: float, limit: Sequence[float]) -> bool:
    return not limit[0] <= value <= limit[1]


RAISED: dict[str, Callable[[Any, Any], bool]] = {"below": lt, "above": gt, "outside": _outside}


class Judge:
    """Raises the flags of one image.

    Args:
        classes: id -> name, without background.
        findings: what the organ adds.
        thresholds: limits that differ from those of the findings; for a flag of a structure also {name: limit}. None
            turns a flag off.
        volumes: whether the numbers are of volumes.

    Raises:
        ValueError: if there is no such flag or structure, or a limit is of another kind than the flag's.
    """

    def __init__(
        self,
        classes: Mapping[int, str],
        findings: Findings = NO_FINDINGS,
        thresholds: Mapping[str, Any] | None = None,
        *,
        volumes: bool = False,
    ) -> None:
        self.structures = list(classes.values())
        known = {**(VOLUME_FLAGS if volumes else FLAGS), **findings.flags}
        ordered = [kind for kind in findings.limits if kind in known]  # limits have the order of alarm
        self.flags = {kind: known[kind] for kind in [*ordered, *known]}
        self.limits = {kind: _by_name(limit, classes) for kind, limit in findings.limits.items()}
        thresholds = dict(thresholds or {})
        if unknown := sorted(set(thresholds) - set(self.flags)):
            found = ", ".join(unknown)
            raise ValueError(f"Expected thresholds of {', '.join(self.flags)}, found {found}; correct the name.")
        for kind, limit in thresholds.items():
            self._check(kind, limit)
        self.limits |= thresholds

    @property
    def meanings(self) -> dict[str, str]:
        """Every flag that an image may get, the most alarming first, and its meaning."""
        return {name: flag.meaning for kind, flag in self.flags.items() for name, _, _ in self._places(kind)}

    def __call__(self, row: Mapping[str, Any]) -> dict[str, str]:
        """Flags of a row of numbers, the most alarming first: name -> number and limit as text.

        A number that is missing or None raises no flag: what could not be measured is not judged. Flags of a structure
        end in its name: ``missing_optic_cup``.
        """
        raised = {}
        for kind, flag in self.flags.items():
            for name, column, limit in self._places(kind):
                value = row.get(column)
                if value is not None and limit is not None and RAISED[flag.raised](value, limit):
                    raised[name] = _beside(value, limit)
        return raised

    def _places(self, kind: str) -> Iterator[tuple[str, str, Any]]:
        """Name, column and limit of a flag, for each structure if it is raised per structure."""
        column, limit = self.flags[kind].column, self.limits.get(kind)
        if "{}" not in column:
            yield kind, column, limit
            return
        for structure in self.structures:
            word = structure.replace(" ", "_")
            yield f"{kind}_{word}", column.format(word), limit.get(structure) if isinstance(limit, Mapping) else limit

    def _check(self, kind: str, limit: Any) -> None:
        flag = self.flags[kind]
        each, pair = "{}" in flag.column, flag.raised == "outside"
        if isinstance(limit, Mapping):
            fits = each and set(limit) <= set(self.structures) and all(map(_is_number, limit.values()))
        elif pair and limit is not None:
            fits = isinstance(limit, (list, tuple)) and len(limit) == 2 and all(map(_is_number, limit))
        else:
            fits = limit is None or _is_number(limit)
        if not fits:
            what = "two numbers" if pair else "a number"
            several = f", or one for each of {', '.join(self.structures)}" if each else ""
            raise ValueError(f"Expected {what}{several} or None for the threshold {kind}, found {limit!r}.")


def _by_name(limit: Any, classes: Mapping[int, str]) -> Any:
    return {classes[number]: value for number, value in limit.items()} if isinstance(limit, Mapping) else limit


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _beside(value: Any, limit: Any) -> str:
    limits = limit if isinstance(limit, Sequence) else [limit]
    return f"{in_digits(float(value), 3, limits=limits)}, limit {' to '.join(f'{number:g}' for number in limits)}"
