"""A replay as one picture."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from monai_sfda.files import whole_file
from monai_sfda.report.figures import FIGURE_STYLE

__all__ = ["write_replay_plot"]

COLOURS = ("#1b6ca8", "#4c956c", "#d1603d")


def write_replay_plot(panels: Mapping[str, Mapping[str, Mapping[int, Any]]], path: Path) -> None:
    """Harm above, gain kept below, against the number of outlines; one column per panel, one line per policy.

    Args:
        panels: title -> policy -> outlines -> share with ``harm`` and ``kept``.
        path: PNG file to write.
    """
    with matplotlib.rc_context(FIGURE_STYLE):
        figure = Figure(figsize=(0.6 + 3.2 * len(panels), 4.6), layout="constrained")
        axes = figure.subplots(2, len(panels), squeeze=False, sharex=True, sharey="row")
        for column, (title, policies) in enumerate(panels.items()):
            axes[0, column].set_title(title, fontsize=9)
            for colour, (policy, shares) in zip(COLOURS, policies.items(), strict=True):
                _line(axes[0, column], {n: share.harm for n, share in shares.items()}, policy, colour)
                _line(axes[1, column], {n: share.kept for n, share in shares.items()}, policy, colour)
            axes[1, column].set_xlabel("outlines")
        most = max(
            share.harm for policies in panels.values() for shares in policies.values() for share in shares.values()
        )
        axes[0, 0].set_ylim(0, max(5.0, 110 * most))
        axes[0, 0].set_ylabel("decisions that do harm, %")
        axes[1, 0].set_ylabel("gain kept, %")
        figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=len(COLOURS))
        with whole_file(path) as draft:
            figure.savefig(draft, dpi=130, format="png")


def _line(axes: Axes, values: Mapping[int, float | None], label: str, colour: str) -> None:
    known = {n: 100 * value for n, value in values.items() if value is not None}
    axes.plot(list(known), list(known.values()), "o-", color=colour, label=label, markersize=3, linewidth=1.4)
    axes.grid(axis="y", color="#e9ecef")
