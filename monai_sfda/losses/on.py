"""Use a loss on one of two streams, or on another map of logits of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from monai_sfda.functional import scaled
from monai_sfda.protocols import Criterion

__all__ = ["On"]


class On:
    """A criterion on one stream of a step with source and target, such as ``On("target", EntropyLoss())``.

    Args:
        stream: ``"source"``, which has ``label`` and the same as ``pseudo`` with weight 1, or ``"target"``.
        criterion: any criterion; it takes what it needs of the stream by keyword.
        pred: which logits of the stream it takes as ``pred``, such as ``"auxiliary"``; they are scaled to the size of
            the prediction.

    Raises:
        ValueError: if ``stream`` is neither.
    """

    def __init__(self, stream: str, criterion: Criterion, *, pred: str = "pred") -> None:
        if stream not in ("source", "target"):
            raise ValueError(f"Expected the stream 'source' or 'target', found {stream!r}; name one of them.")
        self.stream, self.criterion, self.pred = stream, criterion, pred

    def __call__(self, **step: Any) -> Tensor:
        """Raises ValueError: if the stream has no such logits."""
        stream: Mapping[str, Any] = step[self.stream]
        if self.pred not in stream:
            raise ValueError(
                f"Expected the logits {self.pred!r} in the {self.stream} stream, found {', '.join(stream)}; name their "
                "layer in layers of the engine."
            )
        return self.criterion(**{**stream, "pred": scaled(stream[self.pred], stream["pred"].shape[2:])})
