"""Curves: how quantities changed from epoch to epoch, with one small panel for each kind."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from monai_sfda.files import whole_file
from monai_sfda.report.figures import FIGURE_STYLE, figure_to_data_uri
from monai_sfda.report.pictures import PALETTE

__all__ = ["PANELS", "history_curves", "save_curves"]

PANELS = (
    ("loss", "Training loss", 1),
    ("foreground_", "Share of the image, %", 100),
    ("balance_weight_", "Background weight", 1),
    ("dice_", "Dice of held-out images at 0.5, %", 100),
)
"""Prefix of the history columns that share a panel, its title, and the factor to the unit of the title."""


def history_curves(history: Sequence[Mapping[str, Any]], structures: Sequence[str] = ()) -> str | None:
    """Curves as an image address, ``data:image/svg+xml;base64,...``, or None where no column of a panel is there.

    Args:
        history: one row per epoch: ``epoch`` and any of ``loss*``, ``foreground_*`` (share of the image in [0, 1]),
            ``balance_weight_*``, ``dice_*`` (in [0, 1]). Missing, empty and non-finite values leave a gap.
        structures: names in channel order, so that a structure has the colour of its outline.
    """
    with matplotlib.rc_context(FIGURE_STYLE):
        figure = _figure(history, structures)
        return figure_to_data_uri(figure) if figure else None


def save_curves(path: str | os.PathLike, history: Sequence[Mapping[str, Any]], structures: Sequence[str] = ()) -> None:
    """Write the curves of `history_curves` as an image file, such as a png; none where there is nothing to draw."""
    with matplotlib.rc_context(FIGURE_STYLE):
        if figure := _figure(history, structures):
            with whole_file(path) as draft:
                figure.savefig(draft, dpi=150)


def _figure(history: Sequence[Mapping[str, Any]], structures: Sequence[str]) -> Figure | None:
    keys = list(dict.fromkeys(key for row in history for key in row))
    panels = [(*panel, [key for key in keys if key.startswith(panel[0])]) for panel in PANELS]
    panels = [panel for panel in panels if panel[-1]]
    if not panels:
        return None
    figure = Figure(figsize=(3.6 * len(panels), 2.5), layout="constrained")
    for axes, panel in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        _draw(axes, history, panel, structures)
    return figure


def _draw(axes: Axes, history: Sequence[Mapping[str, Any]], panel: tuple, structures: Sequence[str]) -> None:
    prefix, title, factor, columns = panel
    epochs = [_number(row.get("epoch", count)) for count, row in enumerate(history, 1)]
    dot = 3 if len(history) <= 40 else 0
    for column in columns:
        label = column.removeprefix(prefix).strip("_").replace("_", " ")
        values = [factor * _number(row.get(column)) for row in history]
        colour = _colour(label, structures)
        axes.plot(epochs, values, label=label, color=colour, linewidth=1.6, marker="o", markersize=dot)
    axes.set_title(title, loc="left", fontweight="bold", fontsize=9)
    axes.set_xlabel("Epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.grid(axis="y", color="#e9ecef")
    if columns != [prefix]:
        axes.legend(frameon=False)


def _colour(label: str, structures: Sequence[str]) -> str | None:
    """That of the outline; None takes the next of Matplotlib's own."""
    if label in structures:
        return PALETTE[structures.index(label) % len(PALETTE)]
    return None if label else "#495057"


def _number(value: Any) -> float:
    """Rows may come back from a CSV file, as text."""
    return math.nan if value in (None, "") else float(value)
