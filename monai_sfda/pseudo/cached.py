"""Ask a labeller or an observer once, and read its answers from disk from then on."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import ignite.distributed as idist
import torch
from ignite.engine import Engine, Events
from torch import Tensor

from monai_sfda.protocols import Evidence, Labeller, Observer, PseudoLabel
from monai_sfda.pseudo.histogram import over_processes
from monai_sfda.pseudo.store import LabelStore

__all__ = ["Cached", "CachedEvidence"]

logger = logging.getLogger(__name__)


class _Answers:
    """What both have in common: fill the store through an engine, look a batch up in it."""

    def __init__(self, ask: Any, store: LabelStore, *, seed: int, refresh_every: int | None = None) -> None:
        if refresh_every is not None and refresh_every < 1:
            raise ValueError(f"Expected refresh_every to be at least 1 epoch, found {refresh_every}; None asks once.")
        self.ask, self.store, self.seed, self.refresh_every = ask, store, seed, refresh_every

    def attach(self, engine: Engine) -> None:
        engine.add_event_handler(Events.STARTED, self.fill)
        if self.refresh_every:
            engine.add_event_handler(Events.EPOCH_STARTED, self._refresh_if_due)

    def fill(self, engine: Any) -> None:
        """Before an epoch: ask about every image that has no answer, unless that was done by this or an earlier run.

        Raises:
            ValueError: if a run is continued whose answers, to be asked for once, are gone: the network that gave them
                has been trained since.
        """
        epoch, held = engine.state.epoch + 1, self.store.round
        if held is not None and (held == epoch or (held < epoch and self.store.complete)):
            epoch = held
        elif epoch > 1 and self.refresh_every is None:
            raise ValueError(
                f"Expected the labels of this run's first epoch in {self.store.folder}, found none; adapt anew, into "
                "another --output."
            )
        elif epoch > 1:
            logger.warning("Expected the answers of an earlier epoch in %s, found none: asking now.", self.store.folder)
        self._ask_all(engine, epoch)

    def refresh(self, engine: Any) -> None:
        """In an epoch, before its first step: ask again about every image, unless that was done in this epoch."""
        self._ask_all(engine, engine.state.epoch)

    def _refresh_if_due(self, engine: Any) -> None:
        assert self.refresh_every
        if (engine.state.epoch - 1) % self.refresh_every == 0:
            self.refresh(engine)

    def _ask_all(self, engine: Any, number: int) -> None:
        idist.barrier()  # every process has read the state of the store before one of them changes it
        if idist.get_rank() == 0:
            self.store.begin(number)
        idist.barrier()
        if not self.store.complete:
            logger.info("Running the network on every image; the results are stored in %s.", self.store.folder)
            with _undisturbed(engine.state.device):
                self._look(engine.observe_all(self._answer))
            idist.barrier()
            self.store.finish()

    def _look(self, answers: Iterator[dict[str, Tensor]]) -> None:
        for _ in answers:
            pass

    def _answer(self, image: Tensor, case: Sequence[str]) -> dict[str, Tensor]:
        if all(name in self.store for name in case):
            return self._recall(case, image.device)
        numbers = f"{self.seed} {self.store.round} {' '.join(case)}"
        torch.manual_seed(zlib.crc32(numbers.encode()))  # so that a continued filling gives the same
        maps = _maps(self.ask(image, case))
        for index, name in enumerate(case):
            self.store.write(name, {key: values[index] for key, values in maps.items()})
        return maps

    def _recall(self, case: Sequence[str], device: torch.device) -> dict[str, Tensor]:
        items = [self.store.read(name) for name in case]
        return {key: torch.stack([item[key] for item in items]).to(device) for key in items[0]}


class Cached(_Answers):
    """A labeller that asks another one once about every image and from then on answers from a store.

    Attached to an engine it fills the store before the first epoch. Every batch is asked with PyTorch's random numbers
    at a start of their own and those of the training stay as they were: a run that is stopped and continued gives the
    same.

    Args:
        labeller: who is asked; the batches are those of the engine's data loader.
        store: where labels and weights are kept.
        seed: of the random numbers.
        refresh_every: epochs after which all are asked again; None asks once. A handler with a rule of its own calls
            ``refresh(engine)`` instead.
    """

    def __init__(
        self, labeller: Labeller, store: LabelStore, *, seed: int = 0, refresh_every: int | None = None
    ) -> None:
        super().__init__(labeller, store, seed=seed, refresh_every=refresh_every)

    def __call__(self, image: Tensor, case: Sequence[str]) -> PseudoLabel:
        return PseudoLabel(**self._recall(case, image.device))

    def _look(self, answers: Iterator[dict[str, Tensor]]) -> None:
        sums = over_processes(sum((_count(**maps) for maps in answers), torch.zeros(())))
        for channel, (pixels, kept, positive) in enumerate(sums.T.tolist()):
            logger.info("Channel %d: %.1f %% of the pixels count.", channel, 100 * kept / pixels)
            if kept == 0:
                logger.warning("No pixel counts in channel %d: nothing will be learned about it.", channel)
            elif positive in (0, kept):
                kind = "foreground" if positive else "background"
                logger.warning("All pixels that count in channel %d are %s.", channel, kind)


class CachedEvidence(_Answers):
    """As `Cached`, for an observer: probabilities and spread in 8 bits; features are not kept.

    Args:
        observer: who is asked.
        store: where the evidence is kept.
        seed: of the random numbers.
    """

    def __init__(self, observer: Observer, store: LabelStore, *, seed: int = 0) -> None:
        super().__init__(observer, store, seed=seed)

    def __call__(self, image: Tensor, case: Sequence[str]) -> Evidence:
        return self.recall(case, image.device)

    def recall(self, case: Sequence[str], device: torch.device) -> Evidence:
        """The evidence on some images, without showing them."""
        return Evidence(case, **self._recall(case, device))


def _maps(answer: Evidence | PseudoLabel) -> dict[str, Tensor]:
    fields = answer._asdict()
    return {name: fields[name] for name in ("label", "weight", "probs", "spread") if fields.get(name) is not None}


def _count(label: Tensor, weight: Tensor) -> Tensor:
    """(3, K) pixels, those that count, and the foreground among these."""
    kept = weight > 0
    maps = torch.stack([torch.ones_like(kept), kept, kept & (label > 0.5)])
    return maps.transpose(1, 2).flatten(2).sum(2).double().cpu()


@contextmanager
def _undisturbed(device: torch.device) -> Iterator[None]:
    """Leave the random numbers as they were."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        yield
