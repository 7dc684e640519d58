"""Postprocess the items of a batch that was never collated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ignite.engine import Engine, Events

from monai_sfda.handlers.postprocess_in_threads import with_facts

__all__ = ["PostprocessItems"]


class PostprocessItems:
    """Apply the postprocessing of an evaluator item by item, in place of ``postprocessing=``.

    Needs an evaluator with ``decollate=False`` whose batches hold ``items``, as `monai_sfda.data.keep_items` gives
    them; ``pred`` of the output joins them. ``engine.state.output`` becomes their list, for the handlers that follow.

    Args:
        transform: takes an item with ``pred``.
    """

    def __init__(self, transform: Callable[[dict[str, Any]], Any]) -> None:
        self.transform = transform

    def attach(self, engine: Engine) -> None:
        engine.add_event_handler(Events.ITERATION_COMPLETED, self)

    def __call__(self, engine: Any) -> None:
        items, preds = engine.state.batch["items"], engine.state.output["pred"]
        pairs = zip(items, preds, strict=True)
        engine.state.output = [
            self.transform({**item, "pred": with_facts(pred, item["image"])}) for item, pred in pairs
        ]
