"""What a run is made of: its parts, what they hold, and what that holds."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from functools import partial
from types import FunctionType, MethodType, ModuleType
from typing import Any

from ignite.engine import Engine
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils.data import DataLoader

from monai_sfda.networks.layers import unwrapped

__all__ = ["is_network", "name_of", "parts_of", "same_network"]

NO_PARTS = (str, bytes, int, float, Tensor, type, ModuleType, Engine, Optimizer, DataLoader)
CONTAINERS = (list, tuple, set, frozenset, deque)


def parts_of(*roots: object) -> list[Any]:
    """The objects themselves and everything that they hold, directly or through others, each once.

    Looked into are attributes, containers, bound methods, partial functions and the variables that a function closes
    over. Networks are among the parts; their layers are not.
    """
    found: dict[int, object] = {}
    waiting = deque(roots)
    while waiting:
        part = waiting.popleft()
        if part is not None and id(part) not in found and not isinstance(part, NO_PARTS):
            found[id(part)] = part
            waiting.extend(_held(part))
    return list(found.values())


def is_network(part: object) -> bool:
    """Whether it is a module with parameters (a loss has none)."""
    return isinstance(part, nn.Module) and any(True for _ in part.parameters())


def same_network(one: nn.Module, other: nn.Module) -> bool:
    """Whether they are one network, with or without a data-parallel wrapper."""
    return unwrapped(one) is unwrapped(other)


def name_of(part: Any) -> str:
    """Of a function its name, of another object its class."""
    return getattr(part, "__name__", type(part).__name__)


def _held(part: Any) -> Iterable[object]:
    if is_network(part):
        return ()
    if isinstance(part, Mapping):
        return list(part.values())
    if isinstance(part, CONTAINERS):
        return part
    if isinstance(part, MethodType):
        return (part.__self__, part.__func__)
    if isinstance(part, partial):
        return (part.func, *part.args, *part.keywords.values())
    if isinstance(part, FunctionType):
        return [*_closed_over(part), *(part.__defaults__ or ()), *(part.__kwdefaults__ or {}).values()]
    return list(getattr(part, "__dict__", {}).values())


def _closed_over(function: FunctionType) -> Iterable[object]:
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # a variable that has no value yet
            continue
