"""Findings of optic disc and cup besides areas: ratios, rim widths, the eye, and the position of the disc."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from monai_sfda.findings import Findings, Flag, Panel, Prediction
from monai_sfda.organs.fundus.eye import eye_columns
from monai_sfda.organs.fundus.laterality import eye_of
from monai_sfda.organs.fundus.ratios import ratio_columns
from monai_sfda.pieces import bounding_box, largest_piece

__all__ = ["DiscAndCup"]

EDGE = 0.015
"""Share of a picture's width so close to its border that networks, which pad with zeros, often mark nothing there."""

FLAGS = {
    "not_located": Flag("located", "below", "the search found no optic disc in the photograph"),
    "looks_disagree": Flag(
        "looks_disagree",
        "above",
        "searches for the disc disagreed; a crop stayed whole, a photograph was cut where the first search found it",
    ),
    "eye_conflict": Flag("eye_conflict", "above", "the DICOM header and the file name state different eyes"),
    "cut_off": Flag(
        "disc_at_border", "above", "the disc touches the border of the image, or of the square cut out of it"
    ),
    "cup_outside_disc": Flag("cup_outside_disc", "above", "the share of the cup outside the disc is above the limit"),
    "unusual_ratio": Flag(
        "vertical_cup_to_disc_ratio", "outside", "the vertical cup-to-disc ratio is outside the limits"
    ),
    "cut_again": Flag("cut_again", "above", "the picture is not a whole round photograph, and was cut around the disc"),
}


class DiscAndCup(Findings):
    """Findings of a label map of disc rim and cup. docs/columns.md explains columns and limits.

    Args:
        disc: class id of the disc's rim; the disc is rim and cup together.
        cup: class id of the cup.

    Raises:
        ValueError: if both have the same id.
    """

    flags = FLAGS
    panels = (Panel("Vertical cup-to-disc ratio", "vertical_cup_to_disc_ratio", (0.0, 1.0)),)
    close_up = True

    def __init__(self, disc: int, cup: int) -> None:
        if disc == cup:
            raise ValueError(f"Expected two class ids for disc and cup, found {disc} for both; give each its own.")
        self.disc, self.cup = disc, cup
        self.inside = {disc: (cup,)}
        self.codes = {  # DICOM PS3.16 has none for the cup
            disc: ("AnatomicalStructure", "OpticNerveHead", None),
            cup: ("AnatomicalStructure", "AnatomicalStructure", "OpticNerveHead"),
        }
        self.limits = {
            "missing": 1,
            "not_located": 1,
            "looks_disagree": 0,
            "eye_conflict": 0,
            "cut_off": 0,
            "in_pieces": 0.95,
            "cup_outside_disc": 0.05,
            "unusual_ratio": (0.1, 0.9),
            "unsure": {disc: 0.9, cup: 0.75},
            "unstable": {disc: 0.9, cup: 0.75},
            "blurred": 0.01,
            "dark": 0.1,
            "overexposed": 0.05,
            "low_contrast": 0.025,
            "narrow_field": 0.5,
            "cut_again": 0,
        }

    def columns(self, prediction: Prediction) -> dict[str, Any]:
        ids = prediction.ids[prediction.box]
        cup = ids == self.cup
        whole = cup | (ids == self.disc)
        disc = largest_piece(whole)
        around = bounding_box(disc)
        ratios = ratio_columns(disc[around], (cup & disc)[around])
        name = prediction.case if prediction.kept is None else prediction.kept
        row = eye_columns(name, prediction.laterality, ratios) | ratios
        row["disc_at_border"] = bool(disc.any()) and _reaches_border(whole, prediction)
        if prediction.above is not None:
            marked = prediction.above[self.cup]
            outside = marked & ~prediction.above[self.disc]
            row["cup_outside_disc"] = int(np.count_nonzero(outside)) / max(int(np.count_nonzero(marked)), 1)
        return row if prediction.located is None else row | _search_columns(prediction.located)

    def facts(self, row: Mapping[str, Any]) -> dict[str, Any]:
        ratio = {"vertical cup-to-disc": row.get("vertical_cup_to_disc_ratio")}
        return ratio | {"cut out": "the square around the disc"} if row.get("cut") else ratio

    def keep(self, name: str) -> str:
        """Right, left, or nothing."""
        return eye_of(name)[0] or ""


def _reaches_border(disc: np.ndarray, prediction: Prediction) -> bool:
    """Whether a disc, a mask of what is in the prediction's box, comes close to the border of what the network saw."""
    height, width = prediction.ids.shape
    left, top, right, bottom = prediction.seen or (0, 0, width, height)
    margin = int(EDGE * min(right - left, bottom - top))
    rows, columns = bounding_box(disc)
    above, before = (side.start for side in prediction.box)
    distances = (above + rows.start - top, before + columns.start - left)
    return min(*distances, bottom - above - rows.stop, right - before - columns.stop) <= margin


def _search_columns(located: Mapping[str, Any]) -> dict[str, Any]:
    """Whether the disc was found, and of a bundle that cuts pictures, whether this one was and should have been."""
    row = {"located": located.get("found"), "located_confidence": located.get("confidence")}
    if "cropped" not in located:
        return row
    cut = located["cropped"]
    if cut is None:  # the picture was not searched
        return row | dict.fromkeys(("cut", "cut_again", "looks_disagree"))
    return row | {
        "cut": cut,
        "cut_again": cut and not located.get("photograph"),
        "looks_disagree": located.get("agreed") is False,
    }
