"""Weights from a file, without running code of the file."""

from __future__ import annotations

import pickle
import re
from argparse import Namespace
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path, PosixPath
from types import SimpleNamespace
from typing import Any, TypeGuard

import numpy as np
import torch
from torch import Tensor

__all__ = ["read_weights"]

TORCH = (b"PK\x03\x04", b"\x80")  # with which a file of torch.save begins, today and before torch 1.6
LFS = b"version https://git-lfs"
WRAPPERS = (
    *("model", "model_state_dict", "state_dict", "network", "network_weights", "net", "checkpoint"),
    *("ema", "model_ema", "ema_state_dict", "state_dict_ema"),
)
ADDED = ("module", "_orig_mod")  # in front of every key, by DistributedDataParallel and by torch.compile
COUNTER = "n_averaged"  # beside the weights, by torch.optim.swa_utils.AveragedModel

# What files of training keep beside the weights, such as their best Dice; building one runs no code of the file.
# NumPy has moved its functions, and a file has the name of the version that wrote it.
PLAIN = [code for code in np.typecodes["All"] if code not in "OV"]
HARMLESS: list[Any] = [np.dtype, np.ndarray, Namespace, SimpleNamespace, PosixPath, datetime, timedelta]
HARMLESS += {type(np.dtype(code)) for code in PLAIN}
HARMLESS += [
    (builder, f"numpy.{place}.multiarray.{name}")
    for name, builder in (("scalar", np.float64(0).__reduce__()[0]), ("_reconstruct", np.zeros(1).__reduce__()[0]))
    for place in ("core", "_core")
]


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """Read a state dict without running code from the file.

    Args:
        path: file of ``torch.save`` or of safetensors, whatever its suffix; the bare state dict, or a dict that holds
            it as "model", "state_dict" or a similar name, or as its only one, to any depth; NumPy numbers, paths and
            dates may lie beside it. What DistributedDataParallel ("module."), torch.compile ("_orig_mod.") and
            AveragedModel ("n_averaged") add is dropped.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file cannot be read safely or holds no state dict.
    """
    path = Path(path)
    if not path.is_file():
        found = "a folder" if path.is_dir() else "nothing"
        raise FileNotFoundError(
            f"Expected a file of weights, found {found} at {path}; check the path, or train first (monai-sfda train)."
        )
    weights = _unwrap(_read(path))
    if not _is_state_dict(weights):
        raise ValueError(
            f"Expected {path} to hold a state dict, bare or as one of {list(WRAPPERS)}, found {_describe(weights)}; "
            "save network.state_dict()."
        )
    given = [str(key) for key in weights if key != COUNTER]
    named = {_own_name(key): weights[key] for key in given}
    if len(named) < len(given):
        raise ValueError(
            f"Expected each weight once in {path}, found some both with and without {' or '.join(ADDED)} in front; "
            "save network.state_dict()."
        )
    return named


def _read(path: Path) -> object:
    with open(path, "rb") as file:
        head = file.read(max(9, len(LFS)))
    if head.startswith(LFS):
        raise ValueError(f"Expected weights in {path}, found a pointer of git-lfs; fetch the file with: git lfs pull.")
    safe = head[8:9] == b"{"  # behind the length of the header
    if not safe and not head.startswith(TORCH):
        raise ValueError(f"Expected weights in {path}, found no file of torch.save or safetensors; fetch it again.")
    try:
        if safe:
            from safetensors.torch import load_file

            return load_file(path)
        with torch.serialization.safe_globals(HARMLESS), open(path, "rb") as file:
            return torch.load(file, map_location="cpu", weights_only=True)
    except ImportError:
        raise ValueError(f"Expected safetensors to read {path}, found it missing; pip install safetensors.") from None
    except pickle.UnpicklingError as error:
        named = re.search(r"GLOBAL ([\w.]+) was not", str(error))
        found = f"{named[1]}, which" if named else "what"
        raise ValueError(
            f"Expected only weights in {path}, found {found} cannot be read without running code from the file; save "
            "network.state_dict() alone."
        ) from error
    except Exception as error:  # torch and safetensors raise many types for damaged files
        if "TorchScript" in str(error):
            raise ValueError(
                f"Expected weights in {path}, found a program of TorchScript; save the state_dict() of the network."
            ) from None
        first = str(error).partition("\n")[0].partition(". ")[0] or type(error).__name__
        raise ValueError(
            f"Expected weights in {path}, found a damaged file ({first}); fetch it again, or save network.state_dict() "
            "anew."
        ) from error


def _is_state_dict(content: object) -> TypeGuard[Mapping[Any, Tensor]]:
    return isinstance(content, Mapping) and bool(content) and all(isinstance(w, Tensor) for w in content.values())


def _unwrap(content: object) -> object:
    while isinstance(content, Mapping):
        named = [content[name] for name in WRAPPERS if isinstance(content.get(name), Mapping)]
        weights = [part for part in content.values() if _is_state_dict(part)]
        # "model" may hold the settings of a network, with its weights beside it.
        inner = [part for part in named if _is_state_dict(part)] or named or (weights if len(weights) == 1 else [])
        if not inner:
            break
        content = inner[0]
    return content


def _own_name(key: str) -> str:
    """As the network itself names it; a part that was compiled alone has its ``_orig_mod`` in the middle."""
    parts = key.split(".")
    while parts[:-1] and parts[0] in ADDED:
        del parts[0]
    return ".".join(part for part in parts if part != ADDED[1])


def _describe(content: object) -> str:
    if isinstance(content, Mapping):
        others = [key for key, value in content.items() if not isinstance(value, Tensor)]
        beside = " beside tensors" if 0 < len(others) < len(content) else ""
        return f"a dict with keys {[str(key) for key in others[:5]]}{beside}"
    return f"a {type(content).__name__}"
