"""Findings of the ventricles in short-axis cine MR besides volumes: myocardial mass, how they lie, and function."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from monai_sfda.findings import Findings, Flag, Panel, Prediction, StudyTable
from monai_sfda.organs.heart.function import FRAMES, function_rows, place_of
from monai_sfda.organs.heart.shape import beside, open_border

__all__ = ["DENSITY", "Heart"]

DENSITY = 1.05
"""Of myocardium in g/ml (Schulz-Menger et al., J Cardiovasc Magn Reson 2020)."""

FLAGS = {
    "cavity_open": Flag(
        "cavity_open_border", "above", "the share of the cavity's border without myocardium is above the limit"
    ),
    "right_ventricle_apart": Flag(
        "right_ventricle_beside",
        "below",
        "the share of slices in which the right ventricle lies beside the left is below the limit",
    ),
}

FUNCTION = {
    "study": "Study",
    "status": "Status",
    "frames": "Frames",
    "end_diastole": "End diastole (frame)",
    "end_systole": "End systole (frame)",
    "end_diastolic_volume_ml": "EDV, ml",
    "end_systolic_volume_ml": "ESV, ml",
    "stroke_volume_ml": "SV, ml",
    "ejection_fraction_percent": "EF, %",
}
RESTS_ON = (
    "Rests on two masks: end diastole is the one with the largest cavity of all frames given, end systole "
    "the one with the smallest; SV = EDV - ESV, EF = 100 x SV / EDV. One wrong mask makes them wrong, so look at both. "
    "Frames are told by the names of the files. Status ok: neither frame has a flag; review: one has; incomplete: no "
    "numbers, for there are fewer than two frames, two files of one frame, or a frame without a cavity, without a "
    "spacing, or that failed; unequal: none, for frames differ in their number of slices or the size of a voxel."
)


class Heart(Findings):
    """Findings of a label map of the ventricles. docs/columns.md explains columns and limits.

    Args:
        cavity: class id of the cavity of the left ventricle.
        myocardium: class id of its wall; None if the label map has none.
        right: class id of the cavity of the right ventricle; None if the label map has none.
        frames: pattern of the file names of frames of one study, see `FRAMES`.

    Raises:
        ValueError: if two have the same id, there is none, or the pattern lacks a group.
    """

    inside: Mapping[int, Sequence[int]] = {}
    panels: Sequence[Panel] = ()
    close_up = True

    def __init__(
        self, cavity: int | None = None, myocardium: int | None = None, right: int | None = None, frames: str = FRAMES
    ) -> None:
        given = [number for number in (cavity, myocardium, right) if number is not None]
        if not given or len(set(given)) < len(given):
            found = ", ".join(map(str, given)) or "none"
            raise ValueError(f"Expected class ids of heart structures, each its own, found {found}; correct findings.")
        self.frames = re.compile(frames)
        if not {"study", "frame"} <= self.frames.groupindex.keys():
            raise ValueError(f"Expected a pattern with the groups study and frame, found {frames}; correct findings.")
        self.cavity, self.myocardium, self.right = cavity, myocardium, right
        kinds = {cavity: "LeftVentricle", myocardium: "LeftVentricleMyocardium", right: "RightVentricle"}
        self.codes = {
            number: ("AnatomicalStructure", kind, None) for number, kind in kinds.items() if number is not None
        }
        needed = {"cavity_open": cavity, "right_ventricle_apart": right}
        self.flags = {name: flag for name, flag in FLAGS.items() if None not in (needed[name], myocardium)}
        limits = {"missing": 1, "cavity_open": 0.1, "right_ventricle_apart": 0.5}
        limits |= {"in_pieces": 0.9, "gap": 0, "at_border": 0, "unsure": 0.75, "unstable": 0.75}
        self.limits = {name: limit for name, limit in limits.items() if name in self.flags or name not in FLAGS}

    def columns(self, prediction: Prediction) -> dict[str, Any]:
        if self.myocardium is None:
            return {}
        ids = prediction.ids[prediction.box]
        spacing = prediction.spacing if ids.ndim == 3 else None
        ids = ids if ids.ndim == 3 else ids[None]  # one slice has no volume
        wall = ids == self.myocardium
        ml = None if spacing is None else np.count_nonzero(wall) * float(np.prod(spacing)) / 1000
        row: dict[str, Any] = {"myocardial_mass_g": None if ml is None else DENSITY * ml}
        if self.cavity is not None:
            row["cavity_open_border"] = open_border(ids == self.cavity, wall)
        if self.right is not None:
            row["right_ventricle_beside"] = beside(ids == self.right, wall)
        return row

    def facts(self, row: Mapping[str, Any]) -> dict[str, Any]:
        volumes = {f"{name[:-3].replace('_', ' ')}, ml": row[name] for name in row if name.endswith("_ml")}
        return volumes if self.myocardium is None else volumes | {"myocardium, g": row.get("myocardial_mass_g")}

    def keep(self, name: str) -> str:
        """Nothing: a frame without its study says nothing."""
        return ""

    def study_and_frame(self, name: str) -> tuple[str, str] | None:
        return place_of(name, self.frames)

    def study_table(self, rows: Sequence[Mapping[str, Any]], classes: Mapping[int, str]) -> StudyTable | None:
        """``function.csv``, see `function_rows`; nothing where there is no cavity."""
        if self.cavity is None:
            return None
        column = f"{classes[self.cavity].replace(' ', '_')}_ml"
        studies = function_rows(rows, column, self.frames)
        return StudyTable("function.csv", studies, "Function of the left ventricle", FUNCTION, RESTS_ON)
