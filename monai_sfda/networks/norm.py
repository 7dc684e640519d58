"""What batch norm and dropout do while a network adapts, as functions that the engine calls before each forward."""

from __future__ import annotations

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd

__all__ = [
    "eval_mode",
    "frozen_stats",
    "norm_layers",
    "stochastic_layers",
    "track_stats",
    "track_stats_without_dropout",
]


def track_stats(network: nn.Module) -> None:
    """Batch statistics, running statistics follow, dropout on: what the released code of CBMT and DPL does."""
    network.train()


def track_stats_without_dropout(network: nn.Module) -> None:
    """Batch statistics, running statistics follow, dropout off."""
    network.train()
    for layer in stochastic_layers(network):
        layer.eval()


def frozen_stats(network: nn.Module) -> None:
    """Running statistics as they are, neither followed nor changed, dropout on; affine parameters still learn.

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
    """Running statistics as they are, dropout off: what prediction does."""
    network.eval()


def norm_layers(network: nn.Module) -> list[_BatchNorm]:
    """All batch norm layers, synchronised ones included."""
    return [module for module in network.modules() if isinstance(module, _BatchNorm)]


def stochastic_layers(network: nn.Module) -> list[_DropoutNd]:
    """All dropout layers."""
    return [module for module in network.modules() if isinstance(module, _DropoutNd)]
