"""Which predictions a person should look at: named flags from the numbers of one image, each with its limit.

A flag says that something is unusual, not that the mask is wrong; a mask without a flag can be wrong too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import gt, lt
from typing import Any, NamedTuple

from monai_sfda.prediction.geometry import is_disc_and_cup

__all__ = ["FLAGS", "default_limits", "flag_names", "judge_case"]


class Flag(NamedTuple):
    """How one flag is raised."""

    column: str
    """Number it looks at; ``{}`` stands for the structure, then the flag is raised per structure."""
    raised: Callable[[Any, Any], bool]
    """(number, limit) -> whether to raise it."""
    meaning: str


def _outside(value: float, limit: Sequence[float]) -> bool:
    return not limit[0] <= value <= limit[1]


FLAGS = {
    "missing": Flag("{}_pixels", lt, "fewer pixels of the structure than the limit"),
    "not_located": Flag("located", lt, "the search found no optic disc in the photograph"),
    "looks_disagree": Flag(
        "looks_disagree", gt, "searches for the disc disagreed; a crop stayed whole, a photograph was cut at the first"
    ),
    "eye_conflict": Flag("eye_conflict", gt, "the DICOM header says one eye and the name of the file the other"),
    "cut_off": Flag("disc_at_border", gt, "the disc touches the border of the image, or of the square cut out of it"),
    "in_pieces": Flag("{}_largest_piece", lt, "smaller share of the structure in its largest piece than the limit"),
    "cup_outside_disc": Flag("cup_outside_disc", gt, "larger share of the cup outside the disc than the limit"),
    "unusual_ratio": Flag("vertical_cup_to_disc_ratio", _outside, "vertical cup-to-disc ratio outside the limits"),
    "unsure": Flag("{}_confidence", lt, "confidence below the limit"),
    "unstable": Flag("{}_flip_agreement", lt, "masks of the image and of its mirror images agree less than the limit"),
    "blurred": Flag("sharpness", lt, "sharpness below the limit"),
    "dark": Flag("brightness", lt, "mean brightness below the limit"),
    "overexposed": Flag("clipped", gt, "larger share of bleached pixels than the limit"),
    "low_contrast": Flag("contrast", lt, "standard deviation of the grey levels below the limit"),
    "narrow_field": Flag("field", lt, "smaller share of the image outside the black surround than the limit"),
    "cut_again": Flag("cut_again", gt, "the picture is not a whole round photograph, and was cut around the disc"),
}
"""Name -> flag, the most alarming first. docs/columns.md says where the limits come from."""

IMAGE_LIMITS: dict[str, Any] = {
    "missing": 1,
    "unsure": 0.75,
    "unstable": 0.75,
    "blurred": 0.05,
    "overexposed": 0.05,
    "low_contrast": 0.015,
}
DISC_LIMITS: dict[str, Any] = {
    "missing": 1,
    "not_located": 1,
    "looks_disagree": 0,
    "eye_conflict": 0,
    "cut_off": 0,
    "in_pieces": 0.95,
    "cup_outside_disc": 0.05,
    "unusual_ratio": (0.1, 0.9),
    "unsure": {"optic disc": 0.9, "optic cup": 0.75},
    "unstable": {"optic disc": 0.9, "optic cup": 0.75},
    "blurred": 0.01,
    "dark": 0.1,
    "overexposed": 0.05,
    "low_contrast": 0.025,
    "narrow_field": 0.5,
    "cut_again": 0,
}


def default_limits(classes: Mapping[int, str], thresholds: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Limits for these structures, some of them replaced by ``thresholds``; None turns a flag off.

    Raises:
        ValueError: if there is no such flag or structure, or a limit is of another kind than the flag's.
    """
    unknown = sorted(set(thresholds or {}) - set(FLAGS))
    if unknown:
        raise ValueError(f"Expected thresholds of {', '.join(FLAGS)}, found {', '.join(unknown)}; correct the name.")
    for kind, limit in (thresholds or {}).items():
        if not _fits(kind, limit, set(classes.values())):
            what = "two numbers" if FLAGS[kind].raised is _outside else "a number"
            each = f", or one for each of {', '.join(classes.values())}" if "{}" in FLAGS[kind].column else ""
            raise ValueError(f"Expected {what}{each} or None for the threshold {kind}, found {limit!r}.")
    return {**(DISC_LIMITS if is_disc_and_cup(classes) else IMAGE_LIMITS), **(thresholds or {})}


def _fits(kind: str, limit: Any, structures: set[str]) -> bool:
    if isinstance(limit, Mapping):
        return "{}" in FLAGS[kind].column and set(limit) <= structures and all(map(_is_number, limit.values()))
    if FLAGS[kind].raised is _outside and limit is not None:
        return isinstance(limit, (list, tuple)) and len(limit) == 2 and all(map(_is_number, limit))
    return limit is None or _is_number(limit)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def flag_names(structures: Sequence[str]) -> dict[str, str]:
    """Every flag that an image with these structures may get, the most alarming first, and its meaning."""
    return {name: flag.meaning for kind, flag in FLAGS.items() for name, _, _ in _places(kind, flag, structures, None)}


def judge_case(row: Mapping[str, Any], structures: Sequence[str], limits: Mapping[str, Any]) -> dict[str, str]:
    """Flags of one image, the most alarming first: name -> number and limit as text.

    A number that is missing or None raises no flag: what could not be measured is not judged. Flags of a structure end
    in its name: ``missing_optic_cup``.

    Args:
        row: numbers of one image.
        structures: names of the classes.
        limits: flag -> limit; for flags of a structure also {structure: limit}. None or absent: not judged.
    """
    raised = {}
    for kind, flag in FLAGS.items():
        for name, column, limit in _places(kind, flag, structures, limits.get(kind)):
            value = row.get(column)
            if value is not None and limit is not None and flag.raised(value, limit):
                raised[name] = f"{_short(value)}, limit {_short(limit)}"
    return raised


def _places(kind: str, flag: Flag, structures: Sequence[str], limit: Any) -> Iterator[tuple[str, str, Any]]:
    if "{}" not in flag.column:
        yield kind, flag.column, limit
        return
    for structure in structures:
        word = structure.replace(" ", "_")
        yield f"{kind}_{word}", flag.column.format(word), limit.get(structure) if isinstance(limit, Mapping) else limit


def _short(value: Any) -> str:
    if isinstance(value, Sequence):
        return " to ".join(f"{number:g}" for number in value)
    return f"{float(value):.3g}"
