"""Scores of an evaluation: one row per case, and a summary of all rows."""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import ignite.distributed as idist
from ignite.engine import Engine, Events
from torch import Tensor

from monai_sfda.files import readable_path
from monai_sfda.json_file import write_json
from monai_sfda.metrics import MEASURES, affine_spacing, score_case, summarise
from monai_sfda.tables import write_csv

__all__ = ["CaseTable"]

MOST_UNREADABLE = 0.1
"""Of all images: with more, what is left is a selection, and its mean is no result of the data set."""

logger = logging.getLogger(__name__)

CaseScores = dict[str, dict[str, float | int | bool]]


class CaseTable:
    """Score every case of an evaluation; write ``cases.csv`` and ``summary.json`` when it ends.

    Expects what a MONAI evaluator with ``decollate=True`` leaves in ``engine.state.output``: a list with, for each
    case, ``image`` (its metadata name the file), ``pred`` and ``label``, (K, *S), 0 or 1. On several processes the
    first writes the cases of all, each once. A volume names its ``case`` in its metadata, for several may lie in one
    file; one whose metadata say that it is not ``measured`` has no surface distance.

    Args:
        output_dir: folder of the two files; made if missing.
        structures: K names, in channel order.
        root: folder that the names of cases are relative to; equal names in different folders stay distinct.
        spacing: size of a pixel, one number or one per axis, or ``"affine"``: that of each label. Surface distances
            are in its unit.
        unit: of surface distances, for the summary; None says what follows from ``spacing``.
        noun: what the cases are, for the summary.
        unreadable: how many images there are beside, which cannot be scored; the summary says so, and more than a tenth
            of all is an error.
    """

    def __init__(
        self,
        output_dir: str | os.PathLike[str],
        structures: Sequence[str],
        *,
        root: str | os.PathLike[str],
        spacing: float | Sequence[float] | str = 1.0,
        unit: str | None = None,
        noun: str = "images",
        unreadable: int = 0,
    ) -> None:
        self.output_dir = Path(output_dir)
        self.structures = list(structures)
        self.root = Path(root)
        self.spacing, self.noun = spacing, noun
        self.unit = _unit(spacing) if unit is None else unit
        self.unreadable = unreadable
        self.rows: dict[str, CaseScores] = {}

    def attach(self, engine: Engine) -> None:
        engine.add_event_handler(Events.STARTED, self.reset)
        engine.add_event_handler(Events.ITERATION_COMPLETED, lambda e: self.update(e.state.output))
        engine.add_event_handler(Events.COMPLETED, self.write)

    def reset(self) -> None:
        self.rows = {}

    def update(self, output: Sequence[Mapping[str, Tensor]]) -> None:
        """Score the cases of one iteration.

        Raises:
            ValueError: if a case has no name under ``root``, was seen before, or its masks do not fit the
                structures or each other; the message names the case.
        """
        if not isinstance(output, list):
            raise ValueError(f"Expected a list of cases, found {type(output).__name__}; set decollate to true.")
        for item in output:
            case = case_name(item["image"], self.root)
            if case in self.rows:
                raise ValueError(f"Expected each image once, found {case!r} twice; remove it from the list of data.")
            self.rows[case] = self._score(case, item["pred"], item["label"])

    def _score(self, case: str, pred: Tensor, label: Tensor) -> CaseScores:
        try:
            spacing: Any = affine_spacing(label) if self.spacing == "affine" else self.spacing
            if getattr(label, "meta", {}).get("measured") is False:
                spacing = None
            return score_case(pred, label, structures=self.structures, spacing=spacing)
        except ValueError as error:
            raise ValueError(f"{case}: {error}") from error

    def write(self) -> None:
        """Write both files in one move each; a reader never sees half of one.

        A structure that no reference has is not scored: its Dice is empty, and a warning names it.

        Raises:
            ValueError: if no case was scored, or no reference has any structure; after the files are written, if too
                many cases could not be scored.
        """
        rows = dict(sorted(_gather(self.rows).items()))
        if not rows:
            raise ValueError(
                "Expected labelled images to score, found none that could be read; look at failures.csv, and let "
                "evaluate.json be the last config (inference_dae.json alone may follow it)."
            )
        unlabelled = _without_reference(rows, self.structures)
        if idist.get_rank() == 0:
            self._write(rows, unlabelled)
        images = len(rows) + self.unreadable
        if self.unreadable > MOST_UNREADABLE * images:
            raise ValueError(
                f"Expected at least {1 - MOST_UNREADABLE:.0%} of {images} labelled images to be scored, found "
                f"{len(rows)}, whose mean does not describe the whole set; repair or remove the files that "
                f"{self.output_dir / 'failures.csv'} lists."
            )

    def _write(self, rows: Mapping[str, CaseScores], unlabelled: Sequence[str]) -> None:
        lines = [{"case": case, **_columns(scores)} for case, scores in rows.items()]
        write_csv(self.output_dir / "cases.csv", list(lines[0]), lines)
        summary = {
            "cases": len(rows),
            "noun": self.noun,
            "unreadable": self.unreadable,
            "unlabelled": list(unlabelled),
            "structures": summarise(list(rows.values())),
            "measures": MEASURES,
            "assd_unit": self.unit,
            "statistics": "mean and std (population) over the n cases measured; ci95: percentile bootstrap over "
            "cases, 2000 resamples, fixed seed; skipped: cases that could not be measured",
        }
        write_json(self.output_dir / "summary.json", summary, allow_nan=False)


def _without_reference(rows: Mapping[str, CaseScores], structures: Sequence[str]) -> list[str]:
    """Structures that no reference has; their Dice, which would be 0 whatever is predicted, becomes nan in ``rows``."""
    nowhere = [name for name in structures if all(row[name]["empty_reference"] for row in rows.values())]
    if len(nowhere) == len(structures):
        raise ValueError(
            f"Expected outlines of {', '.join(structures)} in the masks, found all of {len(rows)} empty; save the "
            "class ids as the grey values of the mask."
        )
    for name in nowhere:
        logger.warning("No mask contains %s, so it is not scored.", name)
        for row in rows.values():
            row[name] |= {measure: math.nan for measure in row[name] if measure.startswith("dice")}
    return nowhere


def case_name(image: Tensor, root: Path) -> str:
    """Path of the file an image was read from, relative to ``root``, with forward slashes; the case of a volume.

    Raises:
        ValueError: if the image does not say where it comes from, or it is not under ``root``.
    """
    about = getattr(image, "meta", {})
    if about.get("case"):
        return str(about["case"])
    source = about.get("filename_or_obj")
    if not isinstance(source, str | os.PathLike):
        raise ValueError("Expected an image that knows its file, found none; read it with LoadImaged.")
    path, folder = Path(os.path.abspath(source)), Path(os.path.abspath(root))
    if not path.is_relative_to(folder):
        raise ValueError(f"Expected an image under {root}, found {source}; set root to the folder of the images.")
    return readable_path(path.relative_to(folder))


def _gather(rows: dict[str, CaseScores]) -> dict[str, CaseScores]:
    """Rows of all processes; a sampler that pads its last round repeats cases, which then count once."""
    if idist.get_world_size() == 1:
        return rows
    return {case: scores for part in idist.all_gather(rows) for case, scores in part.items()}  # type: ignore[union-attr]


def _columns(structures: CaseScores) -> dict[str, Any]:
    return {f"{name}_{measure}": _cell(value) for name, row in structures.items() for measure, value in row.items()}


def _cell(value: float | int | bool) -> Any:
    if isinstance(value, int):
        return int(value)
    return "" if math.isnan(value) else round(value, 6)


def _unit(spacing: float | Sequence[float] | str) -> str:
    if spacing == "affine":
        return "that of each label's affine: millimetres for NIfTI, stored pixels for pictures"
    return "pixels" if spacing == 1 else f"that of the given spacing, {spacing} per pixel"
