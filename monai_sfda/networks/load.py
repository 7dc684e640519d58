"""Weights from a file into a network, safely and completely."""

from __future__ import annotations

import pickle
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from monai_sfda.files import sha256 as checksum

__all__ = ["assign_weights", "load_network", "read_weights"]

Network = TypeVar("Network", bound=nn.Module)
WRAPPERS = (
    *("model", "model_state_dict", "state_dict", "network", "network_weights", "net", "checkpoint"),
    *("ema", "model_ema", "ema_state_dict", "state_dict_ema"),
)
ADDED = ("module", "_orig_mod")  # in front of every key, by DistributedDataParallel and by torch.compile

# What files of training keep beside the weights, such as their best Dice; building one runs no code of the file.
# NumPy has moved its functions, and a file has the name of the version that wrote it.
PLAIN = [code for code in np.typecodes["All"] if code not in "OV"]
HARMLESS: list[Any] = [np.dtype, np.ndarray, Namespace, *{type(np.dtype(code)) for code in PLAIN}]
HARMLESS += [
    (builder, f"numpy.{place}.multiarray.{name}")
    for name, builder in (("scalar", np.float64(0).__reduce__()[0]), ("_reconstruct", np.zeros(1).__reduce__()[0]))
    for place in ("core", "_core")
]


def load_network(network: Network, path: str | Path, *, strict: bool = True, sha256: str | None = None) -> Network:
    """Fill a network with the weights of a file and return it.

    Args:
        network: network to fill, in place.
        path: see :func:`read_weights`.
        strict: False lets the file miss weights of the network and hold others; shapes must fit all the same.
        sha256: see :func:`read_weights`.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file cannot be read safely, has another checksum, or does not fit; the network is unchanged.
    """
    assign_weights(network, read_weights(path, sha256=sha256), source=path, strict=strict)
    return network


def read_weights(path: str | Path, *, sha256: str | None = None) -> dict[str, Tensor]:
    """Read a state dict without running code from the file.

    Args:
        path: ``.pt``, ``.pth`` or ``.tar`` of ``torch.save``, or ``.safetensors``; the bare state dict, or a dict that
            holds it as "model", "state_dict" or a similar name, to any depth; NumPy numbers may lie beside it. What
            DistributedDataParallel ("module.") and torch.compile ("_orig_mod.") add to the keys is dropped.
        sha256: checksum that the file must have, in hexadecimal.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file cannot be read safely, has another checksum, or holds no state dict.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"Expected a file of weights, found nothing at {path}; check the path.")
    if sha256 is not None:
        _require_checksum(path, sha256)
    weights = _unwrap(_read(path))
    if not isinstance(weights, Mapping) or not weights or not all(isinstance(w, Tensor) for w in weights.values()):
        raise ValueError(
            f"Expected {path} to hold a state dict, bare or as one of {list(WRAPPERS)}, found {_describe(weights)}; "
            "save network.state_dict()."
        )
    named = {_own_name(str(key)): weight for key, weight in weights.items()}
    if len(named) < len(weights):
        raise ValueError(
            f"Expected each weight once in {path}, found some both with and without {' or '.join(ADDED)} in front; "
            "save network.state_dict()."
        )
    return named


def assign_weights(network: nn.Module, weights: Mapping[str, Tensor], *, source: object, strict: bool = True) -> None:
    """Copy weights into a network, all or nothing.

    Args:
        network: network to fill, in place.
        weights: state dict.
        source: where the weights come from, for the message.
        strict: False lets ``weights`` miss keys of the network and hold others, as long as one fits.

    Raises:
        ValueError: if they do not fit; names the first keys that differ.
    """
    own = network.state_dict()
    # Files written before torch 0.4.1 lack these counters, which batch norm with a fixed momentum does not use.
    missing = [key for key in own if key not in weights and not key.endswith("num_batches_tracked")]
    unexpected = [key for key in weights if key not in own]
    reshaped = [
        f"{key} {tuple(weights[key].shape)} in the file, {tuple(own[key].shape)} in the network"
        for key in own
        if key in weights and weights[key].shape != own[key].shape
    ]
    if reshaped or (strict and (missing or unexpected)) or len(unexpected) == len(weights):
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


def _read(path: Path) -> object:
    remedy = "fetch it again, or save network.state_dict() anew"
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        with torch.serialization.safe_globals(HARMLESS):
            return torch.load(path, map_location="cpu", weights_only=True)
    except ImportError:
        raise ValueError(f"Expected safetensors to read {path}, found it missing; pip install safetensors.") from None
    except pickle.UnpicklingError as error:
        raise ValueError(
            f"Expected only weights in {path}, found what cannot be read without running code from the file; {remedy}."
        ) from error
    except Exception as error:  # torch and safetensors raise many types for damaged files
        raise ValueError(f"Expected weights in {path}, found a damaged file ({error}); {remedy}.") from error


def _unwrap(content: object) -> object:
    while isinstance(content, Mapping):
        inner = next((content[name] for name in WRAPPERS if isinstance(content.get(name), Mapping)), None)
        if inner is None:
            break
        content = inner
    return content


def _own_name(key: str) -> str:
    """As the network itself names it; a part that was compiled alone has its ``_orig_mod`` in the middle."""
    parts = key.split(".")
    while parts[:-1] and parts[0] in ADDED:
        del parts[0]
    return ".".join(part for part in parts if part != ADDED[1])


def _require_checksum(path: Path, wanted: str) -> None:
    found = checksum(path)
    if found != wanted.lower():
        raise ValueError(f"Expected sha256 {wanted} of {path}, found {found}; fetch the file again.")


def _describe(content: object) -> str:
    if isinstance(content, Mapping):
        return f"a dict with keys {[str(key) for key in list(content)[:5]]}"
    return f"a {type(content).__name__}"


def _first(title: str, keys: list[str], count: int = 3) -> str:
    shown = ", ".join(keys[:count]) + (", ..." if len(keys) > count else "")
    return f"{len(keys)} {title}" + (f" ({shown})" if keys else "")
