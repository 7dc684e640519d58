"""3x3 convolution in a quarter of the multiplications, forwards and backwards."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from monai_sfda.networks.fast.tiles import (
    TAPS,
    filters,
    filters_backward,
    join,
    join_backward,
    patches,
    patches_backward,
)

__all__ = ["WinogradConv2d", "conv3x3", "tiles_pay"]

FEWEST_CHANNELS = 32
FEWEST_PIXELS = 32 * 32


def conv3x3(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``F.conv2d(x, weight, bias, padding=1)`` but for rounding, see `WinogradConv2d`.

    Args:
        x: (B, C, H, W).
        weight: filters (K, C, 3, 3).
        bias: (K,) or None.

    Returns:
        (B, K, H, W).
    """
    if not tiles_pay(x, weight):
        return F.conv2d(x, weight, bias, padding=1)
    y = _Winograd.apply(x, weight)
    return y if bias is None else y + bias[:, None, None]


class WinogradConv2d(nn.Conv2d):
    """3x3 convolution with a border of zeros as :class:`torch.nn.Conv2d`, but for rounding, in less time on a CPU.

    The output is computed in tiles of 4 x 4 pixels. A tile needs 6 x 6 pixels of the input, and 36 products of its
    channels with a matrix, where the definition takes 144 (Lavin and Gray, CVPR 2016); so do both gradients. Rounding
    errors are about twice as large as those of PyTorch's convolution in float32. In all other types, under autocast,
    on other devices, on small maps and in TorchScript it is PyTorch's convolution.

    Args:
        in_channels, out_channels: C and K.
        bias: add a number to each channel of the output.

    Shape:
        (B, C, H, W) -> (B, K, H, W).
    """

    def __init__(self, in_channels: int, out_channels: int, *, bias: bool = False) -> None:
        super().__init__(in_channels, out_channels, TAPS, padding=1, bias=bias)
        nn.init.kaiming_normal_(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        if torch.jit.is_scripting():
            return self._conv_forward(x, self.weight, self.bias)
        return conv3x3(x, self.weight, self.bias)


def tiles_pay(x: Tensor, weight: Tensor) -> bool:
    """Whether `conv3x3` computes in tiles: it depends on types and sizes alone, never on the load of the machine."""
    on_cpu = x.device.type == "cpu" and x.dtype == weight.dtype == torch.float32
    if not on_cpu or torch.is_autocast_enabled("cpu"):
        return False
    return min(weight.shape[:2]) >= FEWEST_CHANNELS and x.shape[2] * x.shape[3] >= FEWEST_PIXELS


class _Winograd(torch.autograd.Function):
    """Image by image, so that what lies in between takes little memory and stays in the cache."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        kernels = filters(weight)
        out = _empty(x, channels=len(weight))
        for image, place in zip(_channels_last(x), _channels_last(out), strict=True):
            join(torch.bmm(patches(image), kernels), place)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None]:
        x, weight = ctx.saved_tensors
        for_input, for_weight = ctx.needs_input_grad
        kernels = filters(weight)
        of_x, of_kernels = _empty(x, channels=x.shape[1]), torch.zeros_like(kernels)
        for image, above, place in zip(*map(_channels_last, (x, grad, of_x)), strict=True):
            tiles = join_backward(above)
            if for_weight:
                of_kernels.baddbmm_(patches(image).transpose(1, 2), tiles)
            if for_input:
                patches_backward(torch.bmm(tiles, kernels.transpose(1, 2)), place)
        return of_x if for_input else None, filters_backward(of_kernels) if for_weight else None


def _channels_last(x: Tensor) -> Tensor:
    return x.permute(0, 2, 3, 1).contiguous()


def _empty(x: Tensor, *, channels: int) -> Tensor:
    shape = (x.shape[0], channels, *x.shape[2:])
    return torch.empty(shape, dtype=x.dtype, memory_format=torch.channels_last)
