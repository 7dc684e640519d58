"""Begin a run with what an earlier one has learnt."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import torch
from torch import nn

from monai_sfda.files import sha256
from monai_sfda.networks.load import assign_weights, load_network

__all__ = ["start_of", "warm_started"]

Network = TypeVar("Network", bound=nn.Module)


def warm_started(network: Network, path: str | Path | None, *, beside: Mapping[str, nn.Module]) -> Network:
    """Fill a network, and what stands beside it, from the checkpoint of a finished run, and return the network.

    Args:
        network: filled in place.
        path: ``RUN/checkpoints/latest.pt`` of another method such as AdvEnt, or a file of weights of the network alone;
            None leaves everything as it is.
        beside: name in such a checkpoint -> further parts that are filled if it has them, such as discriminators.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it does not fit.
    """
    if path is None:
        return network
    state = _checkpoint(Path(path))
    if state is None:
        return load_network(network, path)
    parts: dict[str, nn.Module] = {"network": network, **beside}
    for name, part in parts.items():
        if name in state:
            assign_weights(part, state[name], source=f"{name} of {path}")
    return network


def start_of(path: str | Path | None) -> str:
    """For the record of a run: ``"source network"``, or the beginning of the checksum of the file it began with."""
    return "source network" if path is None else f"checkpoint {sha256(path)[:12]}"


def _checkpoint(path: Path) -> Mapping | None:
    """The checkpoint of a run; None if the file is another one."""
    if not path.is_file():
        raise FileNotFoundError(
            f"Expected the checkpoint of a run at {path}, found none; give RUN/checkpoints/latest.pt of a finished run."
        )
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # torch raises many types, and whoever reads weights says what is wrong
        return None
    return state if isinstance(state, Mapping) and {"network", "progress"} <= set(state) else None
