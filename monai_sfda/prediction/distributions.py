"""Histograms over all images of a prediction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from monai_sfda.findings import Findings, Panel
from monai_sfda.prediction.no_findings import NO_FINDINGS
from monai_sfda.report.figures import FIGURE_STYLE, figure_to_data_uri
from monai_sfda.report.pictures import PALETTE

__all__ = ["histograms", "of_volumes"]

BINS = 25
GREY = "#868e96"


def of_volumes(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether rows are of volumes, which have slices."""
    return any("slices" in row for row in rows)


def histograms(
    rows: Sequence[Mapping[str, Any]], classes: Mapping[int, str], findings: Findings = NO_FINDINGS
) -> str | None:
    """One small panel per number as an image address, ``data:image/svg+xml;base64,...``; None without numbers.

    Args:
        rows: of the images.
        classes: id -> name.
        findings: what the organ adds; its panels, else areas, stand before the confidences.
    """
    drawn = _panels(rows, classes, findings)
    panels = [(panel, colour) for panel, colour in drawn if any(row.get(panel.column) is not None for row in rows)]
    if not panels:
        return None
    with matplotlib.rc_context(FIGURE_STYLE):
        figure = Figure(figsize=(3.4 * len(panels), 2.4), layout="constrained")
        for axes, (panel, colour) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
            values = [float(row[panel.column]) for row in rows if row.get(panel.column) is not None]
            axes.hist(values, bins=BINS, range=panel.range, color=colour)
            axes.set_title(panel.title, loc="left", fontweight="bold", fontsize=9)
            axes.set_ylabel("Volumes" if of_volumes(rows) else "Images")
            axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
            axes.grid(axis="y", color="#e9ecef")
            axes.set_axisbelow(True)
        return figure_to_data_uri(figure)


def _panels(
    rows: Sequence[Mapping[str, Any]], classes: Mapping[int, str], findings: Findings
) -> list[tuple[Panel, str]]:
    """Each panel and its colour."""
    columns = {name: name.replace(" ", "_") for name in classes.values()}
    areas = [_size(rows, name, column) for name, column in columns.items()]
    certain = [
        (Panel(f"Confidence, {name}", f"{column}_confidence", (0.0, 1.0)), PALETTE[at % len(PALETTE)])
        for at, (name, column) in enumerate(columns.items())
    ]
    return [*((panel, GREY) for panel in findings.panels or areas), *certain]


def _size(rows: Sequence[Mapping[str, Any]], name: str, column: str) -> Panel:
    if not of_volumes(rows):
        return Panel(f"Pixels of {name}", f"{column}_pixels")
    if any(row.get(f"{column}_ml") is not None for row in rows):
        return Panel(f"{name.capitalize()}, ml", f"{column}_ml")
    return Panel(f"Voxels of {name}", f"{column}_voxels")
