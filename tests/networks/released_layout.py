"""Keys and shapes of the networks released with CBMT, DPL and BEAL, from their rule, and weights for them by formula.

Loaded by path (``runpy``) in the tests that need it.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

# Channels, expansion and repeats of the encoder's seven stages.
STAGES = ((16, 1, 1), (24, 6, 2), (32, 6, 3), (64, 6, 4), (96, 6, 3), (160, 6, 3), (320, 6, 1))


def layout(boundary: bool) -> dict[str, tuple[int, ...]]:
    """Key -> shape, with the boundary branch of DPL and BEAL or without it (CBMT)."""
    features = _encoder()
    low = {key: shape for key, shape in features.items() if int(key.split(".")[0]) < 4}
    high = {key: shape for key, shape in features.items() if key not in low}
    blocks = {"features.": features, "low_level_features.": low, "high_level_features.": high}
    shapes = {f"backbone.{name}{key}": shape for name, block in blocks.items() for key, shape in block.items()}
    for branch, kernel in ((1, 1), (2, 3), (3, 3), (4, 3)):
        shapes[f"aspp.aspp{branch}.atrous_conv.weight"] = (256, 320, kernel, kernel)
        shapes |= _norm(f"aspp.aspp{branch}.bn", 256)
    shapes |= {"aspp.global_avg_pool.1.weight": (256, 320, 1, 1)} | _norm("aspp.global_avg_pool.2", 256)
    shapes |= {"aspp.conv1.weight": (256, 1280, 1, 1)} | _norm("aspp.bn1", 256)
    shapes |= {"decoder.conv1.weight": (48, 24, 1, 1)} | _norm("decoder.bn1", 48)
    fuse = "decoder.last_conv_boundary" if boundary else "decoder.last_conv_1"
    shapes |= {f"{fuse}.0.weight": (256, 304, 3, 3)} | _norm(f"{fuse}.1", 256)
    shapes |= {f"{fuse}.4.weight": (256, 256, 3, 3)} | _norm(f"{fuse}.5", 256)
    if boundary:
        shapes |= _head(f"{fuse}.8", 256, 1) | _norm("decoder.last_conv.0", 305) | _head("decoder.last_conv.3", 305, 2)
    else:
        shapes |= _head("decoder.last_conv_2.1", 256, 2)
    return shapes


def weights(boundary: bool) -> dict[str, Tensor]:
    """Weights by formula, the same on every machine; the copies of the encoder hold the same values."""
    own = [key for key in layout(boundary) if "level_features" not in key]
    filled = {key: _fill(key, layout(boundary)[key], index) for index, key in enumerate(own)}
    return {key: filled[key.replace("low_level_", "").replace("high_level_", "")] for key in layout(boundary)}


def wave(shape: tuple[int, ...], start: int = 0) -> Tensor:
    """Values in [-1, 1] without a visible pattern."""
    index = np.arange(int(np.prod(shape)), dtype=np.int64) + start
    return torch.from_numpy(np.cos(index * index % 9973)).float().reshape(shape)


def _fill(key: str, shape: tuple[int, ...], start: int) -> Tensor:
    if key.endswith("num_batches_tracked"):
        return torch.tensor(7)
    if len(shape) == 4:
        return wave(shape, start) * 2 / float(np.prod(shape[1:])) ** 0.5
    return wave(shape, start) * 0.3 + (1.0 if key.endswith(("running_var", "weight")) else 0.0)


def _encoder() -> dict[str, tuple[int, ...]]:
    shapes = {"0.0.weight": (32, 3, 3, 3)} | _norm("0.1", 32)
    block, channels = 1, 32
    for width, expansion, repeats in STAGES:
        for _ in range(repeats):
            hidden, layer = channels * expansion, 0
            if expansion > 1:
                shapes |= {f"{block}.conv.0.weight": (hidden, channels, 1, 1)} | _norm(f"{block}.conv.1", hidden)
                layer = 3
            shapes |= {f"{block}.conv.{layer}.weight": (hidden, 1, 3, 3)} | _norm(f"{block}.conv.{layer + 1}", hidden)
            shapes |= {f"{block}.conv.{layer + 3}.weight": (width, hidden, 1, 1)}
            shapes |= _norm(f"{block}.conv.{layer + 4}", width)
            block, channels = block + 1, width
    return shapes


def _norm(name: str, channels: int) -> dict[str, tuple[int, ...]]:
    per_channel = {f"{name}.{part}": (channels,) for part in ("weight", "bias", "running_mean", "running_var")}
    return {**per_channel, f"{name}.num_batches_tracked": ()}


def _head(name: str, in_channels: int, out_channels: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (out_channels, in_channels, 1, 1), f"{name}.bias": (out_channels,)}
