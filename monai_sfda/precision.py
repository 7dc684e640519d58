"""Choose the arithmetic that this machine does fast, by trying it.

bfloat16 makes a training step of a convolutional network 2-3 times faster on a CPU with AVX-512 BF16 or AMX and slower
on one without, and no flag tells the two apart on every platform: so a small convolution is timed in both, unless
oneDNN has none in bfloat16 on this processor (AVX2 alone), where PyTorch's own takes five times as long as float32.
"""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import TypeVar

import torch
from torch import Tensor, nn

__all__ = ["PRECISIONS", "autocast", "channels_last", "choose_precision", "onednn_convolves"]

Laid = TypeVar("Laid", Tensor, nn.Module)
LAYOUTS = {4: torch.channels_last, 5: torch.channels_last_3d}

PRECISIONS = ("auto", "bfloat16", "float32")
ROUNDS = 12


def choose_precision(precision: str, device: torch.device | str) -> str:
    """Resolve ``"auto"`` to ``"bfloat16"`` or ``"float32"`` for a device; other values pass through.

    Raises:
        ValueError: for an unknown precision.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"Expected precision to be one of {', '.join(PRECISIONS)}, found {precision!r}.")
    return _fastest(torch.device(device).type) if precision == "auto" else precision


def autocast(device: torch.device | str, precision: str) -> AbstractContextManager:
    """Context in which networks compute in ``precision``; losses and probabilities stay in float32 by their own casts.

    Raises:
        ValueError: for an unknown precision.
    """
    if choose_precision(precision, device) == "float32":
        return nullcontext()
    return torch.autocast(torch.device(device).type, dtype=torch.bfloat16)


def channels_last(value: Laid) -> Laid:
    """A tensor, or a network in place, laid out in memory as convolutions are fastest on it.

    Channels come last for images (B, C, H, W) and volumes (B, C, D, H, W); another number of axes stays as it is.
    """
    if isinstance(value, Tensor):
        return value.contiguous(memory_format=LAYOUTS.get(value.ndim, torch.contiguous_format))
    for tensor in (*value.parameters(), *value.buffers()):
        if tensor.ndim in LAYOUTS:
            tensor.data = channels_last(tensor.data)
    return value


@cache
def onednn_convolves(dtype: torch.dtype) -> bool:
    """Whether oneDNN convolves in a dtype on this processor, tried once: bfloat16 asks for more than AVX2."""
    try:
        torch.ops.mkldnn._reorder_convolution_weight(torch.ones(1, 1, 1, 1, dtype=dtype), [0, 0], [1, 1], [1, 1], 1)
    except (AttributeError, RuntimeError):  # PyTorch without oneDNN; a processor or an operator without the dtype
        return False
    return hasattr(torch.ops.mkldnn, "_convolution_pointwise")


@cache
def _fastest(device_type: str) -> str:
    """One verdict per process, so that a network never changes its arithmetic half way."""
    if device_type == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float32"
    if device_type != "cpu" or not onednn_convolves(torch.bfloat16):
        return "float32"
    best = {dtype: float("inf") for dtype in (torch.bfloat16, torch.float32)}
    for _ in range(ROUNDS):  # in turns, so that other work on the machine meets both
        for dtype in best:
            best[dtype] = min(best[dtype], _convolution_seconds(dtype))
    return "bfloat16" if best[torch.bfloat16] < best[torch.float32] else "float32"


@torch.no_grad()
def _convolution_seconds(dtype: torch.dtype) -> float:
    """Time of a decoder-like 3x3 convolution."""
    image = torch.ones(2, 128, 64, 64, dtype=dtype).to(memory_format=torch.channels_last)
    weight = torch.ones(128, 128, 3, 3, dtype=dtype).to(memory_format=torch.channels_last)
    start = time.perf_counter()
    torch.nn.functional.conv2d(image, weight, padding=1)
    return time.perf_counter() - start
