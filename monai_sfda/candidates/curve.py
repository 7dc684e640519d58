"""What was known after each outline: the gain of one candidate, and its interval, from the first look on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from monai_sfda.report.figures import FIGURE_STYLE, figure_to_data_uri
from monai_sfda.report.pictures import PALETTE

__all__ = ["draw_curves"]


def draw_curves(curves: Mapping[str, Mapping[str, Any]]) -> str | None:
    """One panel for each structure as an image address, ``data:image/svg+xml;base64,...``; None before the first look.

    Args:
        curves: structure -> ``candidate``, its name, and ``after``, for each number of ``outlines`` its ``dice`` with
            the interval ``low`` to ``high``, in [-1, 1]; an interval may be None.
    """
    drawn = {structure: curve for structure, curve in curves.items() if curve["after"]}
    if not drawn:
        return None
    with matplotlib.rc_context(FIGURE_STYLE):
        figure = Figure(figsize=(3.6 * len(drawn), 2.5), layout="constrained")
        panels = figure.subplots(1, len(drawn), squeeze=False, sharey=True)[0]
        for number, (axes, (structure, curve)) in enumerate(zip(panels, drawn.items(), strict=True)):
            _draw(axes, f"{structure}: {curve['candidate']}", curve["after"], PALETTE[number % len(PALETTE)])
        panels[0].set_ylabel("gain of Dice, points")
        return figure_to_data_uri(figure)


def _draw(axes: Axes, title: str, after: list[Mapping[str, Any]], colour: str) -> None:
    counts = [row["outlines"] for row in after]
    low, high = ([100 * (row["dice"] if row[end] is None else row[end]) for row in after] for end in ("low", "high"))
    axes.axhline(0, color="0.6", linewidth=0.8)
    axes.fill_between(counts, low, high, color=colour, alpha=0.25, linewidth=0)
    axes.plot(counts, [100 * row["dice"] for row in after], color=colour, marker="o", markersize=3)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_title(title)
    axes.set_xlabel("outlines")
