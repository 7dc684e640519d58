"""What batch norm and dropout do while a network adapts, and which parameters learn.

Modes (`track_stats` ... `eval_mode`) are called before each forward; the others once, before the first step.
"""

from __future__ import annotations

from typing import TypeVar

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd

__all__ = [
    "average_stats",
    "eval_mode",
    "freeze_norm_affine",
    "frozen_stats",
    "learn_norm_affine",
    "learn_nothing",
    "norm_layers",
    "require_batch_norm",
    "stochastic_layers",
    "track_stats",
    "track_stats_without_dropout",
]

Network = TypeVar("Network", bound=nn.Module)


def track_stats(network: nn.Module) -> None:
    """Use batch statistics, update running statistics, dropout on: as in the released code of CBMT and DPL."""
    network.train()


def track_stats_without_dropout(network: nn.Module) -> None:
    """Use batch statistics, update running statistics, dropout off."""
    network.train()
    for layer in stochastic_layers(network):
        layer.eval()


def frozen_stats(network: nn.Module) -> None:
    """Use running statistics without updating them, dropout on; affine parameters are still trained.

    Raises:
        ValueError: if the network has no batch norm.
    """
    layers = norm_layers(network)
    if not layers:
        raise ValueError(f"Expected batch norm in {type(network).__name__}, found none; use track_stats or eval_mode.")
    network.train()
    for layer in layers:
        layer.eval()


def eval_mode(network: nn.Module) -> None:
    """Use running statistics without updating them, dropout off, as in prediction."""
    network.eval()


def norm_layers(network: nn.Module) -> list[_BatchNorm]:
    """All batch norm layers, synchronised ones included."""
    return [module for module in network.modules() if isinstance(module, _BatchNorm)]


def stochastic_layers(network: nn.Module) -> list[_DropoutNd]:
    """All dropout layers."""
    return [module for module in network.modules() if isinstance(module, _DropoutNd)]


def require_batch_norm(network: nn.Module) -> list[_BatchNorm]:
    """All batch norm layers of a network; refuses networks that have other normalisation layers.

    Raises:
        ValueError: if there is none, or another layer normalises with parameters or statistics of its own (group,
            instance or layer norm, a class of its own making).
    """
    owner, layers = type(network).__name__, norm_layers(network)
    if not layers:
        raise ValueError(f"Expected batch norm in {owner}, found none; choose a method that does not rely on it.")
    missed = {name: type(module).__name__ for name, module in network.named_modules() if _normalises_otherwise(module)}
    if missed:
        first, kind = next(iter(missed.items()))
        raise ValueError(
            f"Expected every normalisation of {owner} to be batch norm, found {len(missed)} other(s) such as {first!r} "
            f"({kind}), which would be missed; choose a method that does not rely on batch norm."
        )
    return layers


def learn_norm_affine(network: Network) -> Network:
    """Train only the scale and offset of batch norm, and return the network.

    Raises:
        ValueError: as `require_batch_norm`, or if batch norm has neither scale nor offset.
    """
    affine = [p for layer in require_batch_norm(network) for p in layer.parameters(recurse=False)]
    if not affine:
        raise ValueError(f"Expected batch norm of {type(network).__name__} with scale or offset, found affine=False.")
    network.requires_grad_(False)
    for parameter in affine:
        parameter.requires_grad_(True)
    return network


def freeze_norm_affine(network: Network) -> Network:
    """Train everything but the scale and offset of batch norm, as ADVENT and MPSCL do, and return the network."""
    for layer in norm_layers(network):
        for parameter in layer.parameters(recurse=False):
            parameter.requires_grad_(False)
    return network


def learn_nothing(network: Network) -> Network:
    """Freeze every parameter, so that a forward changes statistics at most, and return the network.

    Raises:
        ValueError: as `require_batch_norm`.
    """
    require_batch_norm(network)
    return network.requires_grad_(False)


def average_stats(network: Network, average: str = "exponential") -> Network:
    """Choose how running statistics are updated from now on, and return the network.

    Args:
        network: its statistics are those of the source.
        average: ``"exponential"`` keeps the source's and moves them by 0.1 of the way per batch, as the released
            "norm" baseline of TENT does: of n batches 0.9^n of the source stays. ``"cumulative"`` forgets the source's
            and averages all batches equally.

    Raises:
        ValueError: as `require_batch_norm`, if ``average`` is unknown, or if a layer keeps no running statistics.
    """
    if average not in ("exponential", "cumulative"):
        raise ValueError(f"Expected average 'exponential' or 'cumulative', found {average!r}.")
    layers = require_batch_norm(network)
    if any(layer.running_mean is None for layer in layers):
        raise ValueError(
            "Expected batch norm with running statistics, found track_running_stats=False; set it to True."
        )
    for layer in layers:
        layer.momentum = 0.1 if average == "exponential" else None
        if average == "cumulative":
            layer.reset_running_stats()
    return network


def _normalises_otherwise(module: nn.Module) -> bool:
    if isinstance(module, _BatchNorm):
        return False
    parameters = {name for name, _ in module.named_parameters(recurse=False)}
    buffers = {name for name, _ in module.named_buffers(recurse=False)}
    return "running_mean" in buffers or ("norm" in type(module).__name__.lower() and "weight" in parameters)
