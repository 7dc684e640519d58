"""One string that identifies everything on which a stored result depends."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from monai_sfda.files import case_of, paths_of, sha256

__all__ = ["fingerprint", "setup_of"]


def fingerprint(*, weights: str | os.PathLike, images: Iterable[Mapping[str, Any]], parameters: object) -> str:
    """SHA-256 over the weights' content, the case, path, size and time of change of each image, and the parameters.

    Args:
        weights: file of the source weights.
        images: each with ``image``, a path or the paths of a series, and perhaps ``case``.
        parameters: whatever else the answers depend on, see :func:`setup_of`.
    """
    content = sha256(weights)
    files = [(case_of(item), path, os.stat(path)) for item in images for path in paths_of(item["image"])]
    listed = [[case, path, stat.st_size, stat.st_mtime_ns] for case, path, stat in files]
    text = json.dumps([content, listed, setup_of(parameters)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def setup_of(value: Any) -> Any:
    """Plain text, numbers, lists and dictionaries that say how an object was set up, the same in every process.

    Of an object these are its class and its public attributes (what starts with an underscore is working state), of a
    network its class and a hash of its layers without their weights, of an optimizer its defaults, of a function its
    name, of a path its last part.
    """
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Mapping):
        return {str(key): setup_of(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [setup_of(item) for item in value]
    if isinstance(value, (Tensor, np.ndarray, np.generic)):
        return torch.as_tensor(value).tolist()
    if isinstance(value, partial):
        return setup_of([value.func, value.args, value.keywords])
    if isinstance(value, os.PathLike):
        return Path(value).name
    if isinstance(value, (torch.device, torch.dtype)):
        return str(value)
    if isinstance(value, nn.Module) and any(True for _ in value.parameters()):
        return f"{type(value).__name__} {hashlib.sha256(str(value).encode()).hexdigest()[:12]}"
    if isinstance(value, Optimizer):
        return {type(value).__name__: setup_of(value.defaults)}
    if hasattr(value, "__qualname__"):
        return f"{value.__module__}.{value.__qualname__}"
    kind, state = type(value), getattr(value, "__dict__", {})
    public = {name: item for name, item in state.items() if not name.startswith("_")}
    if isinstance(value, nn.Module):
        public = {name: item for name, item in public.items() if name != "training"} | dict(value.named_children())
    return {f"{kind.__module__}.{kind.__qualname__}": setup_of(public)}
