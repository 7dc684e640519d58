"""The table as one picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

from matplotlib.figure import Figure

from monai_sfda.benchmark.table import Row
from monai_sfda.files import whole_file

__all__ = ["write_plot"]

COLOURS = ("#1b6ca8", "#d1603d", "#4c956c", "#7b5ea7")


def write_plot(rows: Sequence[Row], path: Path) -> None:
    """Dice of each method, one panel per pair and structure; a line marks the source network, small dots are seeds.

    Without a score there is nothing to draw, and no file.
    """
    rows = [row for row in rows if row.dice]
    if not rows:
        return
    rebuilt = dict.fromkeys(((row.pair, row.method) for row in rows), "")
    rebuilt |= {(row.pair, row.method): " (rec.)" for row in rows if "reconstruction" in row.notes}
    panels = list(dict.fromkeys((row.pair, row.structure) for row in rows))
    methods = max(sum((row.pair, row.structure) == panel for row in rows) for panel in panels)
    figure = Figure(figsize=(1.8 + 3.6 * len(panels), 1.2 + 0.27 * methods), layout="constrained")
    for axis, panel in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        mine = [row for row in rows if (row.pair, row.structure) == panel]
        colour = COLOURS[panels.index(panel) % len(COLOURS)]
        for height, row in enumerate(reversed(mine)):
            hollow = row.kind in ("oracle", "bound")
            axis.plot(fmean(row.dice), height, "o", ms=7, color=colour, mfc="white" if hollow else colour)
            axis.plot(row.dice, [height] * len(row.dice), "o", ms=3, color="#333333", alpha=0.7)
        for source in (row for row in mine if row.kind == "source"):
            axis.axvline(source.dice[0], color="#888888", lw=1, ls="--")
        axis.set_yticks(
            range(len(mine)), [f"{row.method}{rebuilt[row.pair, row.method]}" for row in reversed(mine)], fontsize=8
        )
        axis.set_title(f"{panel[0]}: {panel[1]}", fontsize=10)
        axis.set_xlabel("Dice %")
        axis.grid(axis="x", color="#dddddd", lw=0.6)
        axis.spines[["top", "right"]].set_visible(False)
    with whole_file(path) as draft:
        figure.savefig(draft, dpi=130, format="png")
