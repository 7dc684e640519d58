"""Stacks whose slices a scanner stored as a series each, as some do with cine images of the heart."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

import numpy as np

from monai_sfda.reading.stored import Refused
from monai_sfda.volumes.arrange import arranged, normal_of
from monai_sfda.volumes.slices import Slice

__all__ = ["joined"]

LEAST = 3
"""Positions that say whether they are evenly spaced."""
SAME_DIRECTION = 1e-3

logger = logging.getLogger(__name__)


def joined(series: Iterable[Sequence[Slice]]) -> list[list[Slice]]:
    """The series, those joined to one that are the slices of a stack, at all times; the others as they are.

    A stack is made of three or more series of one study and frame of reference, each of one position and several times.
    They have one orientation, pixel spacing, size and number of times, and positions at equal distances along the
    normal. A warning names those that would be one but for their geometry.
    """
    result: list[list[Slice]] = []
    stacks: list[list[list[Slice]]] = []
    for slices in map(list, series):
        if not _one_place(slices):
            result.append(slices)
            continue
        stack = next((stack for stack in stacks if _same_stack(stack[0][0], slices[0])), None)
        if stack is None:
            stacks.append([slices])
        else:
            stack.append(slices)
    for stack in stacks:
        result += _as_one(stack)
    return result


def _one_place(slices: Sequence[Slice]) -> bool:
    """Whether it may be one slice of a stack: images of one position in the patient at several times."""
    first = slices[0]
    if len(slices) < 2 or None in (first.study, first.reference) or any(one.frame is not None for one in slices):
        return False
    try:
        return len(arranged(slices)) == len(slices)
    except Refused:
        return False


def _same_stack(first: Slice, other: Slice) -> bool:
    same = (first.study, first.reference, first.modality) == (other.study, other.reference, other.modality)
    return same and bool(np.allclose(first.axes, other.axes, atol=SAME_DIRECTION))  # type: ignore[arg-type]


def _as_one(stack: list[list[Slice]]) -> list[list[Slice]]:
    if len(stack) < LEAST:
        return stack
    together = [one for slices in stack for one in slices]
    try:
        _refuse_askew(arranged(together)[0])
    except Refused as error:
        known = (slices[0].series_number for slices in stack)
        numbers = ", ".join(number or "without a number" for number in known)
        logger.warning("The series %s of one slice each are not joined to a stack: %s", numbers, error)
        return stack
    return [together]


def _refuse_askew(frame: Sequence[Slice]) -> None:
    places = np.array([one.position for one in frame])
    normal = normal_of(frame[0])
    beside = places - places[0] - np.outer((places - places[0]) @ normal, normal)
    farthest = float(np.linalg.norm(beside, axis=1).max())
    if farthest > min(frame[0].spacing or (0,)):
        raise Refused(
            f"Expected slices one above the other, found them shifted by up to {farthest:.3g} mm in their plane."
        )
