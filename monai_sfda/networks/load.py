"""Weights from a file into a network, completely or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from monai_sfda.networks.weights_file import read_weights

__all__ = ["assign_weights", "load_network", "weights_hash"]

Network = TypeVar("Network", bound=nn.Module)


def load_network(network: Network, path: str | Path) -> Network:
    """Fill a network with the weights of a file and return it.

    Args:
        network: network to fill, in place.
        path: see :func:`read_weights`.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file cannot be read safely or does not fit; the network is unchanged.
    """
    assign_weights(network, read_weights(path), source=path)
    return network


def weights_hash(network: nn.Module) -> str:
    """12 hexadecimal digits over the names and values of a network's weights."""
    digest = hashlib.sha256()
    for name, tensor in network.state_dict().items():
        digest.update(name.encode() + tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:12]


def assign_weights(network: nn.Module, weights: Mapping[str, Tensor], *, source: object) -> None:
    """Copy weights into a network, all or nothing.

    Weights of a larger module of which the network is one part, such as "model." of a LightningModule, are found there.

    Args:
        network: network to fill, in place.
        weights: state dict.
        source: where the weights come from, for the message.

    Raises:
        ValueError: if they do not fit; names the first keys that differ.
    """
    own = network.state_dict()
    weights = _part_of(weights, own)
    # Files written before torch 0.4.1 lack these counters, which batch norm with a fixed momentum does not use.
    missing = [key for key in own if key not in weights and not key.endswith("num_batches_tracked")]
    unexpected = [key for key in weights if key not in own]
    reshaped = [
        f"{key} {_kind(weights[key])} in the file, {_kind(own[key])} in the network"
        for key in own
        if key in weights and not _fits(weights[key], own[key])
    ]
    if reshaped or missing or unexpected:
        raise ValueError(
            f"Expected the {len(own)} weights of {type(network).__name__} in {source}, found {len(weights)}: "
            f"{_first('missing', missing)}; {_first('unexpected', unexpected)}; {_first('of other shape', reshaped)}; "
            "use the file that belongs to this network, or build the network that belongs to this file."
        )
    broken = [key for key, value in weights.items() if value.is_floating_point() and not value.isfinite().all()]
    if broken:
        raise ValueError(
            f"Expected finite weights in {source}, found nan or infinity in {broken[0]}, one of "
            f"{len(broken)} such tensors; use a checkpoint of an earlier epoch."
        )
    network.load_state_dict(dict(weights), strict=False)


def _part_of(weights: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """Those weights that belong to the network, without the name of it in front, where all of its own have the same."""
    needed = [key for key in own if not key.endswith("num_batches_tracked")]
    if not needed or any(key in weights for key in needed):
        return weights
    names = {key.removesuffix(needed[0]) for key in weights if key.endswith(f".{needed[0]}")}
    fitting = [name for name in names if all(name + key in weights for key in needed)]
    if len(fitting) != 1:
        return weights
    return {key: weights[fitting[0] + key] for key in own if fitting[0] + key in weights}


def _fits(weight: Tensor, own: Tensor) -> bool:
    """Whether one can be copied into the other as it is, which whole numbers of a quantized network cannot."""
    numbers = weight.is_floating_point() or not own.is_floating_point()
    return weight.shape == own.shape and numbers and weight.layout is torch.strided


def _kind(weight: Tensor) -> str:
    number = "" if weight.is_floating_point() else f" of {str(weight.dtype).removeprefix('torch.')}"
    layout = "" if weight.layout is torch.strided else " sparse"
    return f"{tuple(weight.shape)}{number}{layout}"


def _first(title: str, keys: list[str]) -> str:
    shown = ", ".join(keys[:3]) + (", ..." if len(keys) > 3 else "")
    return f"{len(keys)} {title}" + (f" ({shown})" if keys else "")
