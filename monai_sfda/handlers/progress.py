"""One progress bar over the whole run, with an ETA."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ignite.distributed as idist
from ignite.engine import Engine, Events
from tqdm.auto import tqdm

__all__ = ["Progress"]


class Progress:
    """Show steps done, steps left, time left and the loss.

    Args:
        description: word before the bar.
        loss: reads the loss from the engine's output; None for an engine without one.
    """

    def __init__(self, description: str, *, loss: Callable[[Any], float] | None = None) -> None:
        self.description, self.loss = description, loss
        self.bar: tqdm | None = None

    def attach(self, engine: Engine) -> None:
        engine.add_event_handler(Events.STARTED, self.open)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self.step)
        for event in (Events.COMPLETED, Events.EXCEPTION_RAISED):
            engine.add_event_handler(event, self.close)

    def open(self, engine: Any) -> None:
        total = engine.state.max_epochs * engine.state.epoch_length
        # A resumed run starts where it stopped, and its ETA counts only its own steps.
        self.bar = tqdm(
            total=total,
            initial=engine.state.iteration,
            desc=self.description,
            unit="step",
            disable=idist.get_rank() > 0,
        )

    def step(self, engine: Engine) -> None:
        assert self.bar is not None
        if self.loss is not None:
            loss = float(self.loss(engine.state.output))
            self.bar.set_postfix(epoch=engine.state.epoch, loss=f"{loss:.4f}", refresh=False)
        self.bar.update()

    def close(self, engine: Engine, error: Exception | None = None) -> None:
        if self.bar is not None:
            self.bar.close()
        if error is not None:
            raise error
