"""Record which handler updates a network that no optimizer updates, so an engine can check that it is attached."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary, ref

from torch import nn

__all__ = ["Mover", "mark_moved", "mover_of"]


class Mover:
    """The handler that moves a network, as far as it is still there.

    Attributes:
        name: its class.
    """

    def __init__(self, handler: Any) -> None:
        self.name, self._handler = type(handler).__name__, ref(handler)

    def among(self, handlers: Any) -> bool:
        """Whether the handler itself is one of these."""
        handler = self._handler()
        return handler is not None and any(other is handler for other in handlers)

    def follows(self, network: nn.Module) -> bool:
        """Whether the handler moves its network after this one."""
        return getattr(self._handler(), "student", None) is network


# Beside the networks and not in them: a copy of a teacher is a network that stays as it is.
_MOVERS: WeakKeyDictionary[nn.Module, Mover] = WeakKeyDictionary()


def mark_moved(network: nn.Module, *, by: Any) -> None:
    """Note that a network changes only while this handler is attached to the engine that trains."""
    _MOVERS[network] = Mover(by)


def mover_of(network: nn.Module) -> Mover | None:
    """The handler that updates a network; None for the student, a frozen network and a copy."""
    return _MOVERS.get(network)
