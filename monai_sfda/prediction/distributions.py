"""Histograms of a prediction: how one image stands among the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from monai_sfda.prediction.geometry import is_disc_and_cup
from monai_sfda.report.figures import FIGURE_STYLE, figure_to_data_uri
from monai_sfda.report.pictures import PALETTE

__all__ = ["histograms"]

BINS = 25
GREY = "#868e96"


def histograms(rows: Sequence[Mapping[str, Any]], classes: Mapping[int, str]) -> str | None:
    """One small panel per number as an image address, ``data:image/svg+xml;base64,...``; None without numbers.

    Args:
        rows: of the images.
        classes: id -> name.
    """
    panels = [panel for panel in _panels(classes) if any(row.get(panel[1]) is not None for row in rows)]
    if not panels:
        return None
    with matplotlib.rc_context(FIGURE_STYLE):
        figure = Figure(figsize=(3.4 * len(panels), 2.4), layout="constrained")
        for axes, (title, column, colour, limits) in zip(
            figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True
        ):
            values = [float(row[column]) for row in rows if row.get(column) is not None]
            axes.hist(values, bins=BINS, range=limits, color=colour)
            axes.set_title(title, loc="left", fontweight="bold", fontsize=9)
            axes.set_ylabel("Images")
            axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
            axes.grid(axis="y", color="#e9ecef")
            axes.set_axisbelow(True)
        return figure_to_data_uri(figure)


def _panels(classes: Mapping[int, str]) -> list[tuple[str, str, str, tuple[float, float] | None]]:
    """Title, column, colour and range of each."""
    names = [(name, name.replace(" ", "_"), PALETTE[at % len(PALETTE)]) for at, name in enumerate(classes.values())]
    sizes: list[tuple[str, str, str, tuple[float, float] | None]]
    if is_disc_and_cup(classes):
        sizes = [("Vertical cup-to-disc ratio", "vertical_cup_to_disc_ratio", GREY, (0.0, 1.0))]
    else:
        sizes = [(f"Pixels of {name}", f"{column}_pixels", GREY, None) for name, column, _ in names]
    certain = [(f"Confidence, {name}", f"{column}_confidence", colour, (0.0, 1.0)) for name, column, colour in names]
    return [*sizes, *certain]
