"""Read the next batch while the current one is being processed."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from monai.data import DataLoader, Dataset

__all__ = ["PrefetchLoader"]


class PrefetchLoader(DataLoader):
    """A MONAI `DataLoader` that is one batch ahead, in a thread.

    Decoding and resizing release the interpreter lock, so one thread hides them without the copies of worker processes.
    An error while reading is raised in the loop that asked; MONAI's `ThreadDataLoader` would end the epoch instead.

    Args:
        ahead: False reads in the loop itself. Where the network computes on the same processors and reading is quick,
            the thread costs more than it hides: after each layer the network waits for the lock that it holds.
        kwargs: as in MONAI.
    """

    def __init__(self, dataset: Dataset, *, ahead: bool = True, **kwargs: Any) -> None:
        super().__init__(dataset, **kwargs)
        self.ahead = ahead

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override] # a generator is all that loops ask for
        batches = super().__iter__()
        if not self.ahead:
            yield from batches
            return
        with ThreadPoolExecutor(1) as pool:
            ahead = pool.submit(next, batches, None)
            while (batch := ahead.result()) is not None:
                ahead = pool.submit(next, batches, None)
                yield batch
