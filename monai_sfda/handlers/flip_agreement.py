"""Compare the predictions for an image and for its mirror images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from ignite.engine import Engine
from monai.engines.utils import IterationEvents
from torch import Tensor

from monai_sfda.functional import Cutoff, check_head, decide, probabilities
from monai_sfda.metrics import dice_score

__all__ = ["FlipAgreement"]


class FlipAgreement:
    """Put ``flip_agreement`` into each of the ``items`` of an evaluator's batch: name -> Dice in [0, 1].

    The masks of the image are compared with those of its mirror images, flipped back; the number is the mean over the
    mirrors, None where the structure is found in none of them. It needs no reference, and another forward per mirror.
    An inferer that learns while it predicts learns from the mirrors too.

    Args:
        structures: name -> channel of the network's output.
        head: ``"sigmoid"`` or ``"softmax"``.
        cutoff: how probabilities become masks, see `decide`; one number, or one for each channel.
        axes: to mirror, one after the other, counted from the end: -1 swaps left and right, -2 top and bottom.

    Raises:
        ValueError: if an axis is not negative: it would be another one for an image than for a batch.
    """

    def __init__(
        self,
        structures: Mapping[str, int],
        *,
        head: str = "sigmoid",
        cutoff: Cutoff = 0.5,
        axes: Sequence[int] = (-2, -1),
    ) -> None:
        if any(axis >= 0 for axis in axes):
            raise ValueError(f"Expected axes counted from the end, such as -1 and -2, found {list(axes)}.")
        self.structures, self.head, self.cutoff, self.axes = dict(structures), check_head(head), cutoff, list(axes)

    def attach(self, engine: Engine) -> None:
        engine.add_event_handler(IterationEvents.FORWARD_COMPLETED, self.compare)

    @torch.no_grad()
    def compare(self, engine: Any) -> None:
        """Mirror the batch, and note the agreement."""
        image, masks = engine.state.output["image"], self._masks(engine.state.output["pred"])
        scores = []
        for axis in self.axes:
            with engine.mode(engine.network):  # the evaluator has left its evaluation mode by now
                mirrored = engine.inferer(image.flip(axis), engine.network)
            scores.append(dice_score(masks, self._masks(mirrored.flip(axis))))
        for item, values in zip(engine.state.batch["items"], torch.stack(scores).nanmean(0).tolist(), strict=True):
            named = zip(self.structures, values, strict=True)
            item["flip_agreement"] = {name: value if value == value else None for name, value in named}

    def _masks(self, logits: Tensor) -> Tensor:
        return decide(probabilities(logits, self.head), self.head, self.cutoff)[:, list(self.structures.values())]
