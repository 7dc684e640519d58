"""Keep the weights of half of the epochs beside those of the end."""

from __future__ import annotations

import os
from pathlib import Path

import ignite.distributed as idist
from ignite.engine import Engine, Events
from torch import nn

from monai_sfda.files import save_tensors, whole_file

__all__ = ["KeepMiddle"]


class KeepMiddle:
    """Save a network when half of the epochs of a run, rounded down, are done; of a run of one epoch nothing.

    Attach it after what moves the network and before what saves the run: then a run that is killed between both and
    continued saves it once more.

    Args:
        network: what the run is going to deliver.
        folder: receives its bare state dict, in a file named after the epoch: ``10.pt``.
    """

    def __init__(self, network: nn.Module, *, folder: str | os.PathLike) -> None:
        self.network, self.folder = network, Path(folder)

    def attach(self, engine: Engine) -> None:
        if idist.get_rank() == 0:
            engine.add_event_handler(Events.EPOCH_COMPLETED, self.save)

    def save(self, engine: Engine) -> None:
        if engine.state.epoch == (engine.state.max_epochs or 0) // 2:
            with whole_file(self.folder / f"{engine.state.epoch}.pt") as draft:
                save_tensors({name: tensor.cpu() for name, tensor in self.network.state_dict().items()}, draft)
