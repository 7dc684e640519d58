"""One set of running statistics for several processes."""

from __future__ import annotations

from collections.abc import Iterable

import ignite.distributed as idist
import torch
from ignite.engine import Engine, Events
from torch import nn

__all__ = ["SharedStatistics"]


class SharedStatistics:
    """Give every process the mean of the running statistics of all processes, at the end of each epoch.

    Each process normalises by batches of its own images, so that without this handler what is delivered knows those of
    the first process alone. Needs ``broadcast_buffers=False`` in ``DistributedDataParallel``, which otherwise writes
    those over the statistics of all others before each forward. Attach it before what saves the run.

    Args:
        networks: whose floating-point buffers are shared; the same ones on every process.
    """

    def __init__(self, networks: Iterable[nn.Module]) -> None:
        self.networks = list(networks)

    def attach(self, engine: Engine) -> None:
        engine.add_event_handler(Events.EPOCH_COMPLETED, self.share)

    @torch.no_grad()
    def share(self) -> None:
        for buffer in (buffer for network in self.networks for buffer in network.buffers()):
            if buffer.is_floating_point():
                total = idist.all_reduce(buffer.clone())
                buffer.copy_(total / idist.get_world_size())  # type: ignore[arg-type] # a tensor, as what went in
