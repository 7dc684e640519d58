"""Which layers of a network give features: maps of the image from which later layers make the logits."""

from __future__ import annotations

from copy import deepcopy
from difflib import get_close_matches
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DataParallel, DistributedDataParallel

__all__ = ["check_feature_layer", "feature_layers", "output_shapes", "require_name", "suggest_layers", "unwrapped"]

SIDES = {2: 128, 3: 32}  # of the blank images and volumes; products of the strides that are in use
SHOWN = 5


def check_feature_layer(network: nn.Module, layer: str) -> None:
    """Refuse a layer whose output is the logits or no map, or that a forward does not call.

    Where the network takes no blank images of 128 x 128 or volumes of 32 x 32 x 32, nothing is refused.

    Args:
        network: (B, C, *S) -> logits (B, K, *S).
        layer: name of one of its submodules.

    Raises:
        ValueError: if the layer gives no features; suggests others.
    """
    shapes = output_shapes(network)
    known = layer in dict(unwrapped(network).named_modules())
    if shapes and known and layer not in _before_logits(network, shapes):
        gives = f"which gives the logits or no map, {shapes[layer]}" if layer in shapes else "which no forward calls"
        raise ValueError(
            f"Expected a layer of {type(unwrapped(network)).__name__} that gives features, found {layer!r}, {gives}; "
            f"use one before the logits, such as {', '.join(suggest_layers(network, layer))}."
        )


def require_name(network: nn.Module, layer: str | None) -> str:
    """Refuse that no layer is named; suggests some."""
    if layer is None:
        owner, near = type(unwrapped(network)).__name__, ", ".join(suggest_layers(network, ""))
        raise ValueError(
            f"Expected the name of a layer of {owner}, found none; name one such as {near}, in a bundle as "
            "feature_layer and early_layer in configs/task.json."
        )
    return layer


def suggest_layers(network: nn.Module, layer: str) -> list[str]:
    """Layers that give features: those with a similar name, else the outermost, nearest to the logits first."""
    network = unwrapped(network)
    if names := feature_layers(network):
        order = {name: (name.count("."), -at) for at, name in enumerate(names)}
        return get_close_matches(layer, names, n=SHOWN) or sorted(names, key=order.__getitem__)[:SHOWN]
    names = [name for name, _ in network.named_modules() if name]
    return get_close_matches(layer, names, n=SHOWN, cutoff=0.4) or [name for name, _ in network.named_children()]


def feature_layers(network: nn.Module) -> list[str]:
    """Names of the layers that give maps from which a later layer with weights makes the logits, in their order.

    Those with more channels than classes, if there are any; none if the network cannot be asked.
    """
    shapes = output_shapes(network)
    before = _before_logits(network, shapes)
    return [name for name in before if shapes[name][1] > shapes[""][1]] or before


def unwrapped(network: nn.Module) -> nn.Module:
    """The network inside a data-parallel wrapper."""
    return network.module if isinstance(network, (DataParallel, DistributedDataParallel)) else network


def _before_logits(network: nn.Module, shapes: dict[str, tuple[int, ...]]) -> list[str]:
    """Layers with a map as output that finish before the last one that has weights of its own, if any has."""
    order = [name for name in shapes if name]
    learns = [bool(list(unwrapped(network).get_submodule(name).parameters(recurse=False))) for name in order]
    last = max((at for at, has in enumerate(learns) if has), default=len(order))
    return [name for name in order[:last] if len(shapes[name]) == len(shapes[""]) and max(shapes[name][2:]) > 1]


def output_shapes(network: nn.Module) -> dict[str, tuple[int, ...]]:
    """The shape of what each layer gives for two blank images of 128 x 128, in the order in which they finish.

    A copy of the network is asked. A layer that gives no tensor has (), the network itself the name "". Nothing if the
    network takes no such images.
    """
    copy = deepcopy(unwrapped(network)).eval()
    shapes: dict[str, tuple[int, ...]] = {}

    def note(name: str) -> Any:
        def hook(module: nn.Module, inputs: object, output: object) -> None:
            shapes.pop(name, None)
            shapes[name] = tuple(output.shape) if isinstance(output, Tensor) else ()

        return hook

    for name, module in copy.named_modules():
        module.register_forward_hook(note(name))
    device = next((parameter.device for parameter in copy.parameters()), torch.device("cpu"))
    for axes, channels in ((2, 3), (2, 1), (3, 1)):
        shapes.clear()
        try:
            with torch.no_grad(), torch.random.fork_rng():
                copy(torch.zeros(2, channels, *[SIDES[axes]] * axes, device=device))
        except (RuntimeError, TypeError, IndexError, ValueError):
            continue
        return shapes if len(shapes[""]) == axes + 2 else {}
    return {}
