"""The images of a DICOM series in the order of their positions, and as many volumes as there are images at each."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from monai_sfda.reading.stored import Refused
from monai_sfda.volumes.slices import CLOCK, TIMES, Slice
from monai_sfda.volumes.volume import size_text

__all__ = ["arranged", "normal_of", "series_affine"]

SAME_POSITION = 0.01  # mm
REGULAR = 0.25
"""Of the distance of slices: as far a slice may lie from where it belongs."""
EVEN = 1.3
"""The largest distance of slices is at most so many times the smallest. Missing slices make it 2, 3/2 or 4/3."""
GAP = 1.4  # times the smallest distance of slices: a slice is missing
LENGTH = 0.01
"""As far the directions of rows and columns may be from 1 long and from a right angle."""
CLOSE = 1e-3
HALF_A_DAY = 12_00_00  # as DICOM writes the time of the day


def arranged(slices: Sequence[Slice]) -> list[list[Slice]]:
    """The frames of a series, each its slices in the order of their positions: along rows x columns.

    Images at one position belong to as many frames, in the order of `Slice.time`.

    Raises:
        ValueError: if they are not slices of one volume.
    """
    _refuse_mixture(slices)
    if len(slices) == 1 and slices[0].position is None:
        return [list(slices)]
    _refuse_unplaced(slices)
    normal = normal_of(slices[0])
    places: list[list[Slice]] = []
    heights = {one.uid: float(np.dot(one.position, normal)) for one in slices}  # type: ignore[arg-type]
    for one in sorted(slices, key=lambda one: heights[one.uid]):
        if places and heights[one.uid] - heights[places[-1][0].uid] < SAME_POSITION:
            places[-1].append(one)
        else:
            places.append([one])
    _refuse_unequal(places)
    frames = [list(frame) for frame in zip(*map(_in_time, places), strict=True)]
    for frame in frames:
        _refuse_gaps(frame)
    return frames


def _in_time(place: Sequence[Slice]) -> list[Slice]:
    """Images at one position in their order; refused where midnight lies between them and no date says so."""
    _refuse_unreadable_times(place)
    images = sorted(place, key=lambda one: one.time)
    for one, other in pairwise(images):
        same = one.time[:CLOCK] == other.time[:CLOCK] and one.time[CLOCK] > 0
        if same and other.time[CLOCK] - one.time[CLOCK] > HALF_A_DAY:
            raise Refused(
                "Expected an AcquisitionDate of images before and after midnight, found none that tells the order of "
                f"the images {one.called} and {other.called}; export the series again with its dates."
            )
    return images


def _refuse_unreadable_times(place: Sequence[Slice]) -> None:
    """Only those that are needed to tell the images apart; the same text in all of them tells nothing."""
    for number, (name, *_) in enumerate(TIMES):
        if len({one.time[:number] for one in place}) == len(place):
            return
        if len({one.no_time[number] for one in place}) > 1:
            _refuse_other_text(name, [one for one in place if one.no_time[number]], place)


def normal_of(one: Slice) -> np.ndarray:
    """(3,) direction across a slice."""
    return np.cross(np.array(one.axes)[:3], np.array(one.axes)[3:])


def series_affine(frame: Sequence[Slice]) -> np.ndarray:
    """(4, 4) from column, row and slice to mm: right, front, head."""
    first, last = frame[0], frame[-1]
    down, across = first.spacing or (1.0, 1.0)
    axes = np.reshape(first.axes or (1.0, 0, 0, 0, 1, 0), (2, 3))
    origin = np.array(first.position or (0.0, 0, 0))
    if len(frame) > 1:
        step = (np.array(last.position) - origin) / (len(frame) - 1)
    else:
        step = np.cross(*axes) * (first.thickness or 1.0)
    affine = np.eye(4)
    affine[:3] = np.stack([axes[0] * across, axes[1] * down, step, origin], axis=1)
    return np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine


def _refuse_mixture(slices: Sequence[Slice]) -> None:
    copies = len(slices) - len({one.uid for one in slices})
    if copies:
        raise Refused(f"Expected each image of the series once, found {copies} of them again; remove the copies.")
    if cut := [one for one in slices if 0 in one.size]:
        raise Refused(
            f"Expected whole headers in the series, found {len(cut)} of {len(slices)} that end before the size of the "
            f"image ({_names(cut)}); copy or export it again."
        )
    if mosaics := [one for one in slices if one.mosaic]:
        raise Refused(
            f"Expected a slice in each image of the series, found all slices of a volume side by side (a mosaic) in "
            f"{len(mosaics)} of {len(slices)} ({_names(mosaics)}); convert it to NIfTI, as dcm2niix does."
        )
    colours = [one for one in slices if not one.grey]
    if colours:
        raise Refused(
            f"Expected a series of grey images, found colours in {len(colours)} of {len(slices)} ({_names(colours)}); "
            "export the images themselves, not pictures of them."
        )
    for number, name in enumerate(("RescaleSlope", "RescaleIntercept")):
        _refuse_other_text(name, [one for one in slices if math.isnan(one.rescale[number])], slices)
    stated = [one for one in slices if one.patient is not None]
    _one("patient", stated, lambda one: one.patient, so="; move these out of the folder, or correct their PatientID")
    _one("study", slices, lambda one: one.study)
    _one("modality", slices, lambda one: one.modality)
    _one("direction of grey levels", slices, lambda one: one.inverted)
    _one("size", slices, lambda one: one.size)
    _one("frame of reference", slices, lambda one: one.reference)
    _one("orientation", slices, lambda one: one.axes)
    _one("pixel spacing", slices, lambda one: one.spacing)


def _refuse_other_text(name: str, found: Sequence[Slice], of: Sequence[Slice]) -> None:
    if found:
        raise Refused(
            f"Expected a number as {name} in each image of the series, found other text in {len(found)} of {len(of)} "
            f"({_names(found)}); export the series again."
        )


def _one(
    name: str,
    slices: Sequence[Slice],
    value: Callable[[Slice], Any],
    so: str = ", as in a localiser; move these out of the folder",
) -> None:
    """All images have this in common; otherwise those that differ from most are named."""
    kinds: list[list[Slice]] = []
    for one in slices:
        kind = next((kind for kind in kinds if _close(value(kind[0]), value(one))), None)
        if kind is None:
            kinds.append([one])
        else:
            kind.append(one)
    if len(kinds) > 1:
        most = max(kinds, key=len)
        others = [one for kind in kinds if kind is not most for one in kind]
        raise Refused(
            f"Expected a series of one {name}, found another in {len(others)} of {len(slices)} images "
            f"({_names(others)}){so}."
        )


def _close(first: Any, second: Any) -> bool:
    if isinstance(first, tuple) and isinstance(second, tuple):
        return len(first) == len(second) and bool(np.allclose(first, second, rtol=CLOSE, atol=CLOSE))
    return first == second


def _refuse_unplaced(slices: Sequence[Slice]) -> None:
    elements = {"ImagePositionPatient": "position", "ImageOrientationPatient": "axes", "PixelSpacing": "spacing"}
    for element, name in elements.items():
        without = [one for one in slices if getattr(one, name) is None]
        if without:
            raise Refused(
                f"Expected the {element} of each image of the series, found none in {len(without)} of {len(slices)} "
                f"({_names(without)}); export the series again."
            )
    axes = np.array(slices[0].axes)
    row, column = axes[:3], axes[3:]
    if max(abs(row @ row - 1), abs(column @ column - 1), abs(row @ column)) > LENGTH:
        raise Refused(
            f"Expected an ImageOrientationPatient of two directions at a right angle, found {size_text(row)} and "
            f"{size_text(column)}; export the series again."
        )


def _refuse_unequal(places: Sequence[Sequence[Slice]]) -> None:
    few, many = min(places, key=len), max(places, key=len)
    if len(few) != len(many):
        raise Refused(
            f"Expected as many images at each position of the series, found {len(many)} at one ({_names(many)}) and "
            f"{len(few)} at another ({_names(few)}); remove those too many, or export the whole series."
        )


def _refuse_gaps(frame: Sequence[Slice]) -> None:
    if len(frame) < 3:
        return
    places = np.array([one.position for one in frame])
    straight = np.linspace(places[0], places[-1], len(frame))
    distances = np.linalg.norm(np.diff(places, axis=0), axis=1)
    least, gap = distances.min(), int(distances.argmax())
    askew = np.linalg.norm(places - straight, axis=1).max()
    if distances[gap] <= EVEN * least and askew <= REGULAR * np.linalg.norm(straight[1] - straight[0]):
        return
    if distances[gap] > GAP * least:
        raise Refused(
            f"Expected slices at equal distances, found {distances[gap]:.4g} mm between the images {frame[gap].called} "
            f"and {frame[gap + 1].called}, and {least:.4g} mm between others; add the missing slices, or export the "
            "series again."
        )
    raise Refused(
        f"Expected slices on a line at equal distances, found distances from {least:.4g} to {distances.max():.4g} mm; "
        "export the series again, or resample it."
    )


def _names(slices: Sequence[Slice]) -> str:
    names = ", ".join(one.called for one in slices[:3])
    return f"image{'s' if len(slices) > 1 else ''} {names}" + (", ..." if len(slices) > 3 else "")
