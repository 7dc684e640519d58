"""Keep the weights of one epoch beside those of the end."""

from __future__ import annotations

import os
from pathlib import Path

import ignite.distributed as idist
from ignite.engine import Engine, Events
from torch import nn

from monai_sfda.files import save_tensors, whole_file

__all__ = ["KeepEpoch"]


class KeepEpoch:
    """Save a network at the end of one epoch.

    Attach it after what moves the network and before what saves the run: then a run that is killed between both and
    continued saves it once more.

    Args:
        network: what the run is going to deliver.
        path: file for its bare state dict.
        epoch: 1 or more; at 0 nothing is saved.
    """

    def __init__(self, network: nn.Module, *, path: str | os.PathLike, epoch: int) -> None:
        self.network, self.path, self.epoch = network, Path(path), epoch

    def attach(self, engine: Engine) -> None:
        if idist.get_rank() == 0:
            engine.add_event_handler(Events.EPOCH_COMPLETED, self.save)

    def save(self, engine: Engine) -> None:
        if engine.state.epoch == self.epoch:
            with whole_file(self.path) as draft:
                save_tensors({name: tensor.cpu() for name, tensor in self.network.state_dict().items()}, draft)
