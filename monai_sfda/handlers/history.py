"""One row per epoch."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import ignite.distributed as idist
from ignite.engine import Engine, Events
from torch.optim import Optimizer

from monai_sfda.functional import Cutoff, check_head, check_structures, decide, foreground_share, probabilities
from monai_sfda.tables import write_csv

__all__ = ["History"]


class History:
    """Write the mean loss, learning rate, foreground shares and other numbers of every epoch to a CSV file.

    The file is replaced as a whole, so it is complete at any moment; a resumed run keeps the rows it finds in its
    checkpoint.

    Args:
        path: file to write.
        optimizer: its first group's learning rate is recorded.
        structures: name -> channel, for the share of pixels that the student predicts as that structure.
        head: ``"sigmoid"`` or ``"softmax"``.
        cutoff: how probabilities become masks, see `decide`; one number, or one for each channel.
        extra: name -> function without arguments, read at the end of each epoch.

    Raises:
        ValueError: if ``structures`` name no channels, or at the first step one that the network does not have.
    """

    def __init__(
        self,
        path: str | os.PathLike,
        *,
        optimizer: Optimizer,
        structures: Mapping[str, int],
        head: str = "sigmoid",
        cutoff: Cutoff = 0.5,
        extra: Mapping[str, Callable[[], float]] | None = None,
    ) -> None:
        self.path, self.optimizer, self.extra = Path(path), optimizer, dict(extra or {})
        self.structures, self.head, self.cutoff = check_structures(structures), check_head(head), cutoff
        self.rows: list[dict[str, float]] = []
        self._sums: dict[str, float] = {}
        self._steps = 0

    def attach(self, engine: Engine) -> None:
        engine.add_event_handler(Events.EPOCH_STARTED, self.reset)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self.update)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self.store)

    def reset(self) -> None:
        self._sums, self._steps = {}, 0

    def update(self, engine: Any) -> None:
        output = engine.state.output
        check_structures(self.structures, output["pred"].shape[1])
        shares = foreground_share(decide(probabilities(output["pred"], self.head), self.head, self.cutoff))
        values = {"loss": output["loss"]}
        values |= {f"foreground_{name}": shares[channel] for name, channel in self.structures.items()}
        for name, value in values.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
        self._steps += 1

    def store(self, engine: Engine) -> None:
        row: dict[str, float] = {"epoch": engine.state.epoch}
        row |= {name: total / self._steps for name, total in self._sums.items()}
        row["lr"] = self.optimizer.param_groups[0]["lr"]
        row |= {name: read() for name, read in self.extra.items()}
        self.rows.append(row)
        if idist.get_rank() == 0:
            self.write()

    def write(self) -> None:
        write_csv(self.path, list(self.rows[0]), self.rows)

    def state_dict(self) -> dict:
        return {"rows": self.rows}

    def load_state_dict(self, state: dict) -> None:
        self.rows = list(state["rows"])
