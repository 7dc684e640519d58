"""Label maps are made and saved while the network computes on the next batch."""

from __future__ import annotations

import errno
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol

import torch
from ignite.engine import Engine, Events
from monai.data import MetaTensor
from torch import Tensor

from monai_sfda.files import case_of
from monai_sfda.root_cause import root_cause

__all__ = ["PostprocessInThreads", "with_facts"]

NAMES = (errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL)  # what is wrong with one file, and not with the disk


class TakesFailures(Protocol):
    """As `monai_sfda.failures.Failures`."""

    def add(self, item: Mapping[str, Any], error: BaseException) -> None: ...


class PostprocessInThreads:
    """Apply the postprocessing of an evaluator in threads, image by image, in place of ``postprocessing=``.

    Needs an evaluator with ``decollate=False`` whose batches hold ``items``, one dictionary per image, as
    `monai_sfda.data.TolerantLoader` gives them; ``pred`` of the output joins them. An image that fails costs a row; a
    disk that fails (full, read-only) stops the run with its error.

    Args:
        transform: takes an item with ``pred``, and saves what is to be kept.
        failures: where failures go.
        threads: that work; one keeps up with a network on the processor.
        ahead: images to hold before the network waits.
    """

    def __init__(
        self, transform: Callable[[dict[str, Any]], Any], *, failures: TakesFailures, threads: int = 1, ahead: int = 32
    ) -> None:
        self.transform, self.failures, self.threads, self.ahead = transform, failures, threads, ahead
        self.waiting: deque[Future] = deque()

    def attach(self, engine: Engine) -> None:
        engine.add_event_handler(Events.STARTED, self.open)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self.submit)
        # Batches without a readable image are left out: the data end early, and Ignite would start again.
        engine.add_event_handler(Events.DATALOADER_STOP_ITERATION, lambda: engine.terminate())
        engine.add_event_handler(Events.COMPLETED, self.finish)

    def open(self) -> None:
        self.pool = ThreadPoolExecutor(self.threads, initializer=torch.set_num_threads, initargs=(1,))

    def submit(self, engine: Engine) -> None:
        preds = engine.state.output["pred"]  # type: ignore[index] # a MONAI evaluator's output
        for item, pred in zip(engine.state.batch["items"], preds, strict=True):  # type: ignore[index]
            self.waiting.append(self.pool.submit(self._work, {**item, "pred": with_facts(pred, item["image"])}))
        while len(self.waiting) > self.ahead:
            self.waiting.popleft().result()

    def finish(self) -> None:
        """Wait for the last images; raises what stopped the work."""
        while self.waiting:
            self.waiting.popleft().result()
        self.pool.shutdown()

    def _work(self, item: dict[str, Any]) -> None:
        source = {"case": case_of(item), "image": getattr(item["image"], "meta", {}).get("filename_or_obj", "")}
        try:
            self.transform(item)
        except Exception as error:
            cause = root_cause(error)
            if isinstance(cause, OSError) and cause.errno not in NAMES:
                raise cause from None
            self.failures.add(source, cause)


def with_facts(pred: Tensor, image: Tensor) -> Tensor:
    """The prediction as MONAI's transforms want it: knowing file and history of its image."""
    if not isinstance(image, MetaTensor):
        return pred
    return MetaTensor(pred, meta=image.meta, applied_operations=image.applied_operations)
