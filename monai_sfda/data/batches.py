"""The order of the images in an epoch: shuffled or as listed, shared among processes, never a batch of one."""

from __future__ import annotations

from collections.abc import Iterator, Sized

import ignite.distributed as idist
import numpy as np
from torch.utils.data import Sampler

__all__ = ["EpochBatches"]


class EpochBatches(Sampler[list[int]]):
    """Batches of indices that depend only on seed and epoch, so a continued run keeps the order of an unbroken one.

    Each epoch shows every image once; where the processes' shares are unequal, a few are shown twice to fill up. A lone
    last image joins the batch before it, because batch normalisation has no statistics of a single value.
    Use as ``DataLoader(dataset, batch_sampler=EpochBatches(dataset, batch_size=8))``.

    Args:
        data_source: the data set, or anything with its length.
        batch_size: images per batch and process, >= 2.
        seed: base seed, >= 0.
        shuffle: False keeps the order of the data set, so that every epoch has the same batches, as in the released DPL
            code, whose prototypes depend on them.

    Raises:
        ValueError: if there are fewer than 2 images, or ``batch_size`` is less than 2.
    """

    def __init__(self, data_source: Sized, batch_size: int, *, seed: int = 0, shuffle: bool = True) -> None:
        if len(data_source) < 2:
            raise ValueError(
                f"Expected at least 2 images to adapt to, found {len(data_source)}; add images, because batch "
                "normalisation has no statistics of a single one."
            )
        if batch_size < 2:
            raise ValueError(f"Expected a batch size of at least 2, found {batch_size}; put more images in a batch.")
        self.count = len(data_source)
        self.batch_size = batch_size
        self.seed = seed
        self.shuffle = shuffle
        self.epoch = self.skip = 0
        self.rank, self.world = idist.get_rank(), idist.get_world_size()
        # At least 2 for each process, for the same reason.
        self.share = max(2, -(-self.count // self.world))

    def set_epoch(self, epoch: int, *, skip: int = 0) -> None:
        """Choose the order of the next iteration, and how many of its batches to leave out at its beginning."""
        self.epoch, self.skip = epoch, skip

    def __len__(self) -> int:
        return (self.share + self.batch_size - 2) // self.batch_size

    def __iter__(self) -> Iterator[list[int]]:
        generator = np.random.default_rng((self.seed, self.epoch))
        order = generator.permutation(self.count) if self.shuffle else np.arange(self.count)
        shares = np.resize(order, (self.world, self.share))
        mine = shares[self.rank].tolist()
        for i in range(self.skip, len(self)):
            last = i == len(self) - 1
            yield mine[i * self.batch_size : None if last else (i + 1) * self.batch_size]
