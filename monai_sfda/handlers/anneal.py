"""Schedules: numbers that change from step to step."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ignite.engine import Engine, Events

__all__ = ["ExponentialAnneal", "LinearAnneal"]


class ExponentialAnneal:
    """Set a number to ``start * exp(-t)`` before every step, where t counts from 0.

    Args:
        apply: receives the number.
        start: value in the first epoch or step.
        unit: what t counts, ``"epoch"`` or ``"step"``; by steps the number is gone after about five of them.
    """

    def __init__(self, apply: Callable[[float], object], *, start: float, unit: str = "epoch") -> None:
        if unit not in ("epoch", "step"):
            raise ValueError(f"Expected unit 'epoch' or 'step', found {unit!r}.")
        self.apply, self.start, self.unit = apply, start, unit

    def attach(self, engine: Engine) -> None:
        engine.add_event_handler(Events.ITERATION_STARTED, self)

    def __call__(self, engine: Any) -> None:
        self.apply(self.value((engine.state.epoch if self.unit == "epoch" else engine.state.iteration) - 1))

    def value(self, t: int) -> float:
        """The number at time ``t >= 0``."""
        return self.start * math.exp(-t)


class LinearAnneal:
    """Set a number before every step, on a line from ``start`` at the first one to ``stop`` at the last.

    Args:
        apply: receives the number.
        start, stop: values at the first and last step of the whole run.
    """

    def __init__(self, apply: Callable[[float], object], *, start: float, stop: float = 0.0) -> None:
        self.apply, self.start, self.stop = apply, start, stop

    def attach(self, engine: Engine) -> None:
        engine.add_event_handler(Events.ITERATION_STARTED, self)

    def __call__(self, engine: Any) -> None:
        last = engine.state.max_epochs * engine.state.epoch_length - 1
        self.apply(self.value((engine.state.iteration - 1) / max(last, 1)))

    def value(self, progress: float) -> float:
        """The number at ``progress`` in [0, 1]."""
        return self.start + (self.stop - self.start) * progress
