"""Scores of a supervised training on the held-out images, one row per validation."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import ignite.distributed as idist
import torch
from ignite.engine import Engine, Events
from tqdm.auto import tqdm

from monai_sfda.tables import write_csv

__all__ = ["TrainingHistory"]


class TrainingHistory:
    """Print a line after each validation, and keep all of them in a CSV file, which is complete at any moment.

    Columns: ``epoch``, ``loss`` (mean of the steps since the row before), ``cutoff``, ``dice`` (which chooses the
    weights to keep) and ``dice_NAME`` of each structure, in [0, 1]; empty where no held-out image shows the structure.

    Args:
        path: file to write.
        validator: engine with the metric ``metric``, whose details are Dice (images, structures).
        structures: names, in the order of the channels.
        loss: reads the loss from the trainer's output.
        metric: name of the metric.
        cutoff: at which the validator cuts masks: 0.5, because `FitCutoffs` fits others only after the last epoch.
    """

    def __init__(
        self,
        path: str | os.PathLike,
        *,
        validator: Engine,
        structures: Mapping[str, int],
        loss: Callable[[Any], float],
        metric: str = "val_mean_dice",
        cutoff: float = 0.5,
    ) -> None:
        self.path, self.validator, self.structures = Path(path), validator, list(structures)
        self.loss, self.metric, self.cutoff = loss, metric, cutoff
        self.rows: list[dict[str, float]] = []
        self._losses: list[float] = []

    def attach(self, engine: Engine) -> None:
        engine.add_event_handler(Events.ITERATION_COMPLETED, self.update)
        self.validator.add_event_handler(Events.COMPLETED, self.store, engine)

    def update(self, engine: Any) -> None:
        self._losses.append(float(self.loss(engine.state.output)))

    def store(self, validator: Any, engine: Any) -> None:
        """Add the row of a validation that ``engine`` asked for."""
        dice = validator.state.metrics[self.metric]
        best = all(dice > row["dice"] for row in self.rows)
        of_each = torch.as_tensor(validator.state.metric_details[self.metric]).nanmean(0).tolist()
        loss = sum(self._losses) / max(len(self._losses), 1)
        self._losses = []
        row = {"epoch": engine.state.epoch, "loss": loss, "cutoff": self.cutoff, "dice": dice}
        row |= {f"dice_{name}": value for name, value in zip(self.structures, of_each, strict=True) if value == value}
        self.rows.append(row)
        if idist.get_rank() == 0:
            columns = ["epoch", "loss", "cutoff", "dice", *(f"dice_{name}" for name in self.structures)]
            write_csv(self.path, columns, self.rows)
            tqdm.write(self._line(row, engine.state.max_epochs) + ("  best so far" if best else ""))

    def _line(self, row: Mapping[str, float], epochs: int) -> str:
        of_each = ", ".join(
            f"{name} {100 * row[column]:.1f}" if (column := f"dice_{name}") in row else f"{name} -"
            for name in self.structures
        )
        epoch = f"{row['epoch']:>{len(str(epochs))}}/{epochs}"
        return f"epoch {epoch}  loss {row['loss']:.4f}  held-out Dice % at {self.cutoff:g}: {of_each}"
