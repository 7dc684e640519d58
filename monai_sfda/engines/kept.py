"""Check that a run can be stopped and continued without losing anything that it has learnt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn
from torch.optim import Optimizer

from monai_sfda.engines.parts import name_of, same_network
from monai_sfda.networks.moved import mover_of

__all__ = ["check_kept"]


def check_kept(
    network: nn.Module, optimizer: Optimizer, handlers: Sequence[Any], others: Sequence[tuple[Any, str]] = ()
) -> None:
    """Every handler that saves ``objects`` saves all that has a state.

    Args:
        network: the student.
        optimizer: of the student.
        handlers: of the run.
        others: further parts with a state, and what they are called.

    Raises:
        ValueError: if the student, the optimizer, a teacher or a handler with a ``state_dict`` is left out: a continued
            run would begin with a new one, and say nothing.
    """
    for saver in handlers:
        objects = getattr(saver, "objects", None)
        if not isinstance(objects, Mapping):
            continue
        for part, name in [*_with_state(network, optimizer, handlers), *others]:
            if not any(_is(part, kept) for kept in objects.values()):
                raise ValueError(
                    f"Expected {name_of(saver)} to keep {name}, found it left out: a continued run would begin with a "
                    "new one; add it to objects."
                )


def _with_state(network: nn.Module, optimizer: Optimizer, handlers: Sequence[Any]) -> list[tuple[Any, str]]:
    found: list[tuple[Any, str]] = [(network, "the network that adapts"), (optimizer, "the optimizer")]
    for handler in handlers:
        if hasattr(type(handler), "state_dict") and hasattr(type(handler), "load_state_dict"):
            found.append((handler, name_of(handler)))
        moved = getattr(handler, "network", None)
        if isinstance(moved, nn.Module) and (mover := mover_of(moved)) is not None and mover.among([handler]):
            found.append((moved, f"the network of {name_of(handler)}"))
    return found


def _is(part: Any, kept: Any) -> bool:
    both_networks = isinstance(part, nn.Module) and isinstance(kept, nn.Module)
    return same_network(part, kept) if both_networks else part is kept
