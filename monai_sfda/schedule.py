"""How long several adaptations of one run take, and which of them fit into a budget."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from pathlib import Path

from monai_sfda.json_file import read_json
from monai_sfda.recipe_list import recipe_cost
from monai_sfda.tables import read_csv

__all__ = ["Schedule", "read_duration"]

UNITS = {"s": 1, "min": 60, "h": 3600}


class Schedule:
    """Predict from the adaptations of a run that are finished how long the others take.

    The measure is the last epoch of the dearest finished one (a first epoch also decodes the images), and what recipes
    cost relative to each other (`recipe_cost`).

    Args:
        bundle: folder of the bundle.
        run: folder of the adaptations, each named as its recipe.
        epochs: of each adaptation; None: those of its recipe.
        budget: from now on, such as ``30min``; None: without end.

    Raises:
        ValueError: if the budget is no duration.
    """

    def __init__(self, bundle: Path, run: Path, *, epochs: int | None = None, budget: str | None = None) -> None:
        self.bundle, self.run, self.epochs = bundle, run, epochs if isinstance(epochs, int) else None
        self.budget = budget
        self.end = None if budget is None else time.monotonic() + read_duration(budget)

    def fits(self, name: str) -> bool:
        """Whether an adaptation would be finished within the budget; as long as nothing is known, whether time is left.

        One that is finished always fits.
        """
        if self.end is None or self._finished(name):
            return True
        return time.monotonic() + (self.seconds([name]) or 0.0) < self.end

    def seconds(self, names: Sequence[str]) -> float | None:
        """Time that these adaptations still take; None as long as none is finished."""
        unit = self._unit()
        return None if unit is None else unit * sum(map(self._passes, names))

    def ahead(self, names: Sequence[str]) -> str:
        """``, about 1 min; all that are left: about 38 min``: of the first name, and of all."""
        first, every = self.seconds(names[:1]), self.seconds(names)
        if not first or not every:
            return ""
        return f", about {_said(first)}" + (f"; all that are left: about {_said(every)}" if every > first else "")

    def left_out(self, names: Sequence[str]) -> str:
        """A sentence about adaptations that do not fit."""
        seconds = self.seconds(names)
        need = "" if seconds is None else f" (about {_said(seconds)})"
        return (
            f"{', '.join(names)}{need}: not within --budget {self.budget}; repeat the command with a larger one to go "
            "on."
        )

    def _finished(self, name: str) -> bool:
        return (self.run / name / "report.json").is_file()

    def _passes(self, name: str) -> float:
        if self._finished(name):
            return 0.0
        table = self.run / name / "history.csv"
        done = len(read_csv(table, ["epoch"])) if table.is_file() else 0
        return recipe_cost(self.bundle, name, epochs=self.epochs, done=done)

    def _unit(self) -> float | None:
        """Seconds of a pass of the network over all images."""
        finished = {path.parent.name: path for path in self.run.glob("*/report.json")}
        for name in sorted(finished, key=lambda name: -self._cost(name, self.epochs)):
            if seconds := read_json(finished[name]).get("time", {}).get("last_epoch_seconds"):
                return seconds / (self._cost(name, 1) - self._cost(name, 0))
        return None

    def _cost(self, name: str, epochs: int | None) -> float:
        return recipe_cost(self.bundle, name, epochs=epochs)


def read_duration(text: object) -> float:
    """Seconds of ``45s``, ``30min`` or ``1.5h``.

    Raises:
        ValueError: if it is something else.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?(s|min|h)", str(text))
    if found is None or not float(found[1]):
        raise ValueError(f"Expected --budget as a duration such as 30min or 2h, found {text}; give such a one.")
    return float(found[1]) * UNITS[found[2]]


def _said(seconds: float) -> str:
    """``40 s``, ``12 min`` or ``3.5 h``."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 3600 else f"{seconds / 3600:.1f} h"
