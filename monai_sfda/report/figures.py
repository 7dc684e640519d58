"""The look of the figures in both reports, and a figure as text that a page can hold."""

from __future__ import annotations

import base64
import io
from typing import Any

from matplotlib.figure import Figure

__all__ = ["FIGURE_STYLE", "figure_to_data_uri"]

FIGURE_STYLE: dict[Any, Any] = {
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.size": 9,
    "svg.hashsalt": "report",  # same numbers, same bytes
}
"""For ``matplotlib.rc_context``, around all that draws and saves a figure."""


def figure_to_data_uri(figure: Figure) -> str:
    """``data:image/svg+xml;base64,...``, without the date."""
    stream = io.BytesIO()
    figure.savefig(stream, format="svg", metadata={"Date": None})
    return "data:image/svg+xml;base64," + base64.b64encode(stream.getvalue()).decode("ascii")
