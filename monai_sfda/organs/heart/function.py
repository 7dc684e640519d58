"""Function of the left ventricle, from the volumes of several frames of one study."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["FRAMES", "function_rows", "place_of"]

FRAMES = r"(?P<study>.+?)(?:[_-](?:frame|phase)|(?:\.nii(?:\.gz)?)? frame )(?P<frame>\d+)(?!.*/)"
"""What a file name begins with if it is a frame: ``patient001_frame01.nii.gz``, ``SC-HF-I-01_phase08.nii.gz``, or, of a
file or a DICOM series that holds several, ``patient001.nii.gz frame 3`` or ``p1/series_5 frame 3``. Names of folders
say nothing: those of ``phase02/`` may be different patients."""

PSEUDONYM = re.compile(r"(?P<study>[0-9a-f]{16})_frame(?P<frame>\w+)_[0-9a-f]{8}$")
"""A file name of a frame behind which the study's is hidden, see `monai_sfda.data.pseudonymise`."""
SAME_VOXEL = 1.02
"""Times as large a voxel may seem in one frame as in another, for tables are rounded."""


def function_rows(rows: Sequence[Mapping[str, Any]], column: str, frames: re.Pattern[str]) -> list[dict[str, Any]]:
    """A row for each study, sorted by name.

    End diastole is the frame with the largest cavity, end systole the one with the smallest. Stroke volume is the
    difference of both volumes, ejection fraction the stroke volume in per cent of the end-diastolic volume. Without two
    frames, or if a frame was not measured, has no cavity or is there twice, there is no number but a status
    ``incomplete``: the frame that is missing, or the other one of the two, may be the largest or the smallest.

    Args:
        rows: of volumes: ``file``, ``status``, the ``column``, and perhaps ``study`` and ``frame`` and
            ``myocardial_mass_g``.
        column: volume of the cavity in ml.
        frames: pattern with the groups study and frame, matched from the beginning of ``file``, for rows without a
            ``study`` of their own. A file that it does not match is a study of one frame.

    Returns:
        ``study``, ``status`` (``ok``; ``review`` if one of the two frames has a flag; ``incomplete``; ``unequal``, also
        without a number, if frames differ in their number of slices or the size of a voxel), ``frames``,
        ``end_diastole`` and ``end_systole`` (their frames), ``end_diastolic_volume_ml``, ``end_systolic_volume_ml``,
        ``stroke_volume_ml``, ``ejection_fraction_percent`` and, where known, ``myocardial_mass_g`` at end diastole.
    """
    studies: dict[str, list[tuple[str, Mapping[str, Any]]]] = {}
    for row in rows:
        study, frame = _place(row, frames)
        studies.setdefault(study, []).append((frame, row))
    return [_function(study, those, column) for study, those in sorted(studies.items())]


def _place(row: Mapping[str, Any], frames: re.Pattern[str]) -> tuple[str, str]:
    """Study and frame of a row."""
    if row.get("study") is not None:
        return str(row["study"]), str(row.get("frame", ""))
    return place_of(row["file"], frames) or (row["file"], "")


def place_of(name: str, frames: re.Pattern[str]) -> tuple[str, str] | None:
    """Study and frame of a file name, perhaps a pseudonym; None if it is not one of several frames."""
    match = PSEUDONYM.match(name) or frames.match(name)
    return (match["study"], match["frame"]) if match else None


def _function(study: str, frames: Sequence[tuple[str, Mapping[str, Any]]], column: str) -> dict[str, Any]:
    found = {"study": study, "status": "incomplete", "frames": len(frames)}
    unknown = dict.fromkeys(
        (
            "end_diastole",
            "end_systole",
            "end_diastolic_volume_ml",
            "end_systolic_volume_ml",
            "stroke_volume_ml",
            "ejection_fraction_percent",
        )
    )
    twice = len({frame for frame, _ in frames}) < len(frames)
    if len(frames) < 2 or twice or not all(row.get(column) for _, row in frames):
        return found | unknown
    if not _alike([row for _, row in frames], column):
        return found | unknown | {"status": "unequal"}
    diastole = max(frames, key=lambda frame: frame[1][column])
    systole = min(frames, key=lambda frame: frame[1][column])
    largest, smallest = diastole[1][column], systole[1][column]
    numbers = {
        "status": "ok" if diastole[1]["status"] == systole[1]["status"] == "ok" else "review",
        "end_diastole": diastole[0],
        "end_systole": systole[0],
        "end_diastolic_volume_ml": largest,
        "end_systolic_volume_ml": smallest,
        "stroke_volume_ml": round(largest - smallest, 4),
        "ejection_fraction_percent": round(100 * (largest - smallest) / largest, 2),
    }
    mass = diastole[1].get("myocardial_mass_g")
    return found | numbers | ({} if mass is None else {"myocardial_mass_g": mass})


def _alike(rows: Sequence[Mapping[str, Any]], column: str) -> bool:
    """Whether volumes of several frames can be compared, as far as rows say: one with fewer slices is not smaller."""
    voxels = [row.get(f"{column.removesuffix('ml')}voxels") for row in rows]
    sizes = [row[column] / number for row, number in zip(rows, voxels, strict=True) if number]
    same_size = not sizes or max(sizes) < SAME_VOXEL * min(sizes)
    return same_size and len({row.get("slices") for row in rows}) == 1
