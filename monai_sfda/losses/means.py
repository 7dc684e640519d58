"""Remember numbers of the steps for the history; what is remembered never changes a loss."""

from __future__ import annotations

from torch import Tensor

__all__ = ["Means"]


class Means:
    """Mean of named numbers since each was last asked for."""

    def __init__(self) -> None:
        self._sums: dict[str, tuple[Tensor | float, int]] = {}

    def add(self, **values: Tensor) -> None:
        """Note numbers () of one step; without a gradient, and left on their device."""
        for name, value in values.items():
            total, steps = self._sums.get(name, (0.0, 0))
            self._sums[name] = total + value.detach(), steps + 1

    def take(self, name: str) -> float:
        """Mean over the steps since this was last asked; NaN where there was none."""
        total, steps = self._sums.pop(name, (0.0, 0))
        return float(total) / steps if steps else float("nan")
