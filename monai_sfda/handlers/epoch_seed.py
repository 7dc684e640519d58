"""Make every epoch depend only on the seed and the number of the epoch."""

from __future__ import annotations

from typing import Any

import ignite.distributed as idist
from ignite.engine import Engine, Events
from monai.utils import set_determinism

__all__ = ["EpochSeed"]


class EpochSeed:
    """Seed all random generators and the order of the images at each epoch start, differently on each process.

    A run that was stopped and continued then makes the same draws as one that was not, without storing generator
    states.

    Args:
        seed: base seed, >= 0.
    """

    def __init__(self, seed: int = 0) -> None:
        if seed < 0:
            raise ValueError(f"Expected a seed >= 0, found {seed}.")
        self.seed = seed

    def attach(self, engine: Engine) -> None:
        engine.add_event_handler(Events.EPOCH_STARTED, self)

    def __call__(self, engine: Any) -> None:
        epoch = engine.state.epoch
        # Distant seeds, so that epoch 2 of seed 0 is not epoch 1 of seed 1, nor that of another process.
        seed = self.seed * 100_003 + idist.get_rank() * 10_007 + epoch
        set_determinism(seed % 2**32, use_deterministic_algorithms=None)
        loader: Any = engine.data_loader
        parts: tuple[Any, ...] = (loader, getattr(loader, "batch_sampler", None))
        for part in parts:
            if hasattr(part, "set_epoch"):
                part.set_epoch(epoch)
