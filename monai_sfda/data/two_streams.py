"""Batches of source and target side by side, each in its own order; the shorter stream starts again."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from torch.utils.data import DataLoader

__all__ = ["TwoStreams"]


class TwoStreams:
    """``{"source": batch, "target": batch}``, one pair a step.

    A stream that ends begins its next pass, whatever the other does. Which batches a step sees depends only on its
    number, so that a run that was stopped goes on with the batches of an undisturbed one: loaders with `EpochBatches`
    are told where to begin, of others the batches before it are read and dropped.

    Args:
        source: labelled images.
        target: unlabelled images.
        epochs: length of the run. An epoch has as many steps as the longer stream has batches.
        iterations: length of the run in steps, in place of ``epochs``; it is divided into epochs of equal length, of
            which none is longer than the longer stream, and rounded up to whole ones.

    Attributes:
        epochs: of the run.

    Raises:
        ValueError: if a stream is empty, or the length is below 1.
    """

    def __init__(
        self, source: DataLoader, target: DataLoader, *, epochs: int = 1, iterations: int | None = None
    ) -> None:
        self.source, self.target = source, target
        for name, loader in (("source", source), ("target", target)):
            if not len(loader):
                raise ValueError(f"Expected {name} images, found an empty data loader; correct what lists the images.")
        if epochs < 1 or (iterations is not None and iterations < 1):
            raise ValueError(f"Expected at least 1 epoch or step, found epochs {epochs} and iterations {iterations}.")
        longest = max(len(source), len(target))
        self.epochs = epochs if iterations is None else -(-iterations // longest)
        self.epoch_length = longest if iterations is None else -(-iterations // self.epochs)
        self.step = 0

    def __len__(self) -> int:
        return self.epoch_length

    def set_epoch(self, epoch: int) -> None:
        """Go on at the first step of an epoch, counted from 1."""
        self.step = (epoch - 1) * self.epoch_length

    def source_pass(self) -> DataLoader:
        """The source from its first batch to its last, in the order of pass 0."""
        sampler: Any = getattr(self.source, "batch_sampler", None)
        if hasattr(sampler, "set_epoch"):
            sampler.set_epoch(0)
        return self.source

    def __iter__(self) -> Iterator[dict[str, Any]]:
        streams = zip(_endless(self.source, self.step), _endless(self.target, self.step), strict=True)
        for source, target in islice(streams, self.epoch_length):
            self.step += 1
            yield {"source": source, "target": target}


def _endless(loader: DataLoader, step: int) -> Iterator[Any]:
    """Batches from a step on, pass after pass; passes are counted from 1."""
    number, skip = divmod(step, len(loader))
    sampler: Any = getattr(loader, "batch_sampler", None)
    while True:
        number += 1
        if hasattr(sampler, "set_epoch"):
            sampler.set_epoch(number, skip=skip)
            yield from loader
        else:
            yield from islice(loader, skip, None)
        skip = 0
