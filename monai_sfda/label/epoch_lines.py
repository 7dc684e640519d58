"""Report progress to a log, and to other processes."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from ignite.engine import Engine, Events

from monai_sfda.json_file import write_json

__all__ = ["EpochLines"]


class EpochLines:
    """Print one line per epoch, and keep the numbers that MONAI Label's clients show in a JSON file.

    The file holds ``epoch``, ``total_epochs``, ``start_ts`` (seconds since 1970), ``loss`` of the last step, and
    ``current_time`` since the start, or ``total_time`` after the last epoch, as hours, minutes and seconds.

    Args:
        path: file to write.
    """

    def __init__(self, path: str | os.PathLike) -> None:
        self.path = Path(path)
        self.start = time.time()

    def attach(self, engine: Engine) -> None:
        engine.add_event_handler(Events.EPOCH_COMPLETED, self.write)

    def write(self, engine: Any) -> None:
        epoch, total, loss = engine.state.epoch, engine.state.max_epochs, engine.state.output["loss"]
        spent = str(timedelta(seconds=int(time.time() - self.start)))
        clock = "total_time" if epoch == total else "current_time"
        numbers = {"epoch": epoch, "total_epochs": total, "start_ts": int(self.start), "loss": loss, clock: spent}
        write_json(self.path, numbers)
        print(f"adapting: epoch {epoch} of {total}, loss {loss:.4f}, {spent} since the start", flush=True)
