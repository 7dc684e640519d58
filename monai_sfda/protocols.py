"""The vocabulary of the adaptation step.

Shapes: B batch, K class channels, D features, ``*S`` image space, ``*s`` feature space, H rows, W columns.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from torch import Tensor, nn

__all__ = [
    "Criterion",
    "Evidence",
    "Labeller",
    "Observer",
    "PseudoLabel",
    "Refiner",
    "Views",
    "takes",
]


class Evidence(NamedTuple):
    """What a network predicts for one batch; never carries gradient."""

    case: Sequence[str]
    """Identifier of each image, stable over epochs."""
    probs: Tensor
    """(B, K, *S) in [0, 1]."""
    spread: Tensor | None = None
    """(B, K, *S) standard deviation over stochastic passes."""
    features: Tensor | None = None
    """(B, D, *s), or (B, K, D, *s) where a class has features of its own."""


class PseudoLabel(NamedTuple):
    """A target for each channel and how much it counts."""

    label: Tensor
    """(B, K, *S) in [0, 1]; hard labels are 0 or 1."""
    weight: Tensor
    """(B, K, *S), >= 0; 0 means: ignore this pixel."""


class Views(Protocol):
    """Two pixel-aligned pictures of the same images, as the network wants its input."""

    def __call__(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """(B, C, *S) stored images -> (weak, strong), both (B, C, *S) float."""


class Observer(Protocol):
    """Asks a network about a batch."""

    def __call__(self, image: Tensor, case: Sequence[str]) -> Evidence: ...


class Refiner(Protocol):
    """Improves a pseudo-label with the evidence; never calls the student."""

    def __call__(self, pseudo: PseudoLabel, evidence: Evidence) -> PseudoLabel: ...


class Labeller(Protocol):
    """Names each pixel of a batch: observe, then refine."""

    def __call__(self, image: Tensor, case: Sequence[str]) -> PseudoLabel: ...


class Criterion(Protocol):
    """Loss of one step; takes the parts of the step it needs by keyword and ignores the rest."""

    def __call__(self, **step: object) -> Tensor: ...


def takes(part: object, count: int) -> bool:
    """Whether a part can be called with as many positional arguments."""
    call = part.forward if isinstance(part, nn.Module) else part
    if not callable(call):
        return False
    try:
        inspect.signature(call).bind(*range(count))
    except TypeError:
        return False
    except ValueError:  # a built-in function that does not say what it takes
        pass
    return True
