"""Find where the first number that is not finite appeared in a step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from ignite.engine import State
from torch import Tensor, nn

from monai_sfda.protocols import PseudoLabel

__all__ = ["check_finite"]


class Suspect(NamedTuple):
    """Numbers of a step, in the order in which they came to be."""

    name: str
    numbers: Tensor | None
    remedy: str
    case: Sequence[str] = ()
    """Whose numbers they are, where that can be told."""


def check_finite(loss: Tensor, step: Mapping[str, Any], network: nn.Module, state: State) -> float:
    """The loss as a number; to be asked after its backward and before the update.

    Args:
        loss: of the step.
        step: ``image``, ``case``, ``weak``, ``strong``, ``pred``, where there are any ``pseudo`` and ``features``; or
            name -> such a step, of each stream that the loss is made of.
        network: what is to be updated, with its gradients.
        state: of the engine, whose epoch and iteration the message names.

    Raises:
        FloatingPointError: if loss or gradients are not finite; names what was not, first.
    """
    sums = [parameter.grad.sum() for parameter in network.parameters() if parameter.grad is not None]
    value = float(loss.detach())
    # A sum is cheap and hides no NaN or infinity; it may overflow by itself, so that what follows looks at each number.
    if torch.stack([loss.detach(), *sums]).isfinite().all():
        return value
    for name, numbers, remedy, case in _suspects(loss, step, network, state):
        if numbers is not None and not (right := numbers.isfinite()).all():
            found = float(numbers.detach()[~right].flatten()[0])
            whose = _whose(right, case) if case else ""
            raise FloatingPointError(
                f"Expected finite numbers in epoch {state.epoch}, step {state.iteration}, found {found} first in the "
                f"{name}{whose} (this step changed no weights); {remedy}."
            )
    return value


def _suspects(loss: Tensor, step: Mapping[str, Any], network: nn.Module, state: State) -> Iterator[Suspect]:
    streams = {"": step} if "image" in step else {f"{name} ": stream for name, stream in step.items()}
    slower = "try a smaller learning rate, into another output folder"
    for name, stream in streams.items():
        yield from _seen(name, stream)
    for name, parameter in network.named_parameters():
        yield Suspect(f"weight {name}", parameter, f"the update before it was too large: {slower}")
    grown = f"the updates before it were too large: {slower}"
    first = state.iteration <= 1  # the weights are those of the source
    for name, stream in streams.items():
        yield from _labels(name, stream.get("pseudo"))
        yield Suspect(
            f"{name}prediction",
            stream["pred"],
            "look for a layer that overflows on these images" if first else grown,
        )
    yield Suspect("loss", loss, "look in the criterion for a division by 0 or the logarithm of 0")
    for name, parameter in network.named_parameters():
        yield Suspect(
            f"gradient of {name}",
            parameter.grad,
            "look in the criterion for an infinite gradient, such as that of a root at 0",
        )


def _seen(name: str, stream: Mapping[str, Any]) -> Iterator[Suspect]:
    views = "give the views images in the range that they expect (WeakStrongViews: 0 to 255)"
    yield Suspect(f"{name}image", stream["image"], "leave it out, or correct what reads it", stream["case"])
    for view in ("weak", "strong"):
        yield Suspect(f"{name}view", stream[view], views, stream["case"])


def _labels(name: str, pseudo: PseudoLabel | None) -> Iterator[Suspect]:
    labels = "look at the network that the labeller asks, and at its refiners"
    yield Suspect(f"{name}pseudo-label", pseudo and pseudo.label, labels)
    yield Suspect(f"weight of the {name}pseudo-label", pseudo and pseudo.weight, labels)


def _whose(right: Tensor, case: Sequence[str]) -> str:
    broken: Iterable[bool] = (~right.flatten(1).all(1)).tolist()
    return " of " + next(name for name, wrong in zip(case, broken, strict=True) if wrong)
