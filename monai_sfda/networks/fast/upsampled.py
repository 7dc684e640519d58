"""Convolution of a small map that is upsampled and joined to a large one, without making the map of both."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from monai_sfda.networks.fast.winograd import conv3x3

__all__ = ["Fusion", "conv_joined", "join"]

TAPS = 3  # side of the filters


def join(context: Tensor, detail: Tensor) -> Tensor:
    """``context`` (B, C, h, w), upsampled as the released networks do it, then ``detail``: (B, C + D, H, W)."""
    size = [detail.shape[2], detail.shape[3]]
    return torch.cat((F.interpolate(context, size=size, mode="bilinear", align_corners=True), detail), dim=1)


def conv_joined(context: Tensor, detail: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``conv2d(join(context, detail), weight, bias, padding=1)`` but for rounding.

    Upsampling, moving by a pixel and weighing channels are linear, so their order is free: here each of the nine taps
    of the filters meets the context while it is small, and two matrices then spread the results over columns and
    rows. With a map of 256 channels four times as large, as in DeepLabV3+, that takes a quarter of the arithmetic.

    Args:
        context: (B, C, h, w).
        detail: (B, D, H, W).
        weight: filters (K, C + D, 3, 3).
        bias: (K,) or None.

    Returns:
        (B, K, H, W).
    """
    filters, (batch, channels, height, width) = weight.shape[0], context.shape
    pointwise = weight[:, :channels].permute(3, 2, 0, 1).reshape(-1, channels, 1, 1)
    taps = F.conv2d(context, pointwise).permute(0, 2, 3, 1).reshape(batch, height, width * TAPS, TAPS, filters)
    rows, columns = (spread(context.shape[axis], detail.shape[axis], like=context) for axis in (2, 3))
    lines = torch.matmul(columns, taps.transpose(2, 3))  # (B, h, 3, W, K)
    wide = torch.matmul(rows, lines.reshape(batch, height * TAPS, -1))
    wide = wide.reshape(batch, detail.shape[2], detail.shape[3], filters).permute(0, 3, 1, 2)
    return conv3x3(detail, weight[:, channels:], bias).add_(wide)


def spread(small: int, large: int, *, like: Tensor) -> Tensor:
    """Matrix (large, small * 3): a line of values, each weighed for three taps, to the upsampled line convolved."""
    units = torch.eye(small, device=like.device)[None]
    line = F.pad(F.interpolate(units, size=large, mode="linear", align_corners=True)[0], (1, 1))
    return torch.stack([line[:, tap : tap + large] for tap in range(TAPS)], dim=1).flatten(0, 1).T.to(like.dtype)


class Fusion(nn.Sequential):
    """Layers on pyramid and detail joined, of which the first is a convolution; `conv_joined` does its work.

    TorchScript runs the layers one after the other.
    """

    def forward(self, pyramid: Tensor, detail: Tensor) -> Tensor:  # type: ignore[override]
        if torch.jit.is_scripting():
            x = join(pyramid, detail)
            for layer in self:
                x = layer(x)
            return x
        first, *others = self
        x = conv_joined(pyramid, detail, first.get_parameter("weight"), getattr(first, "bias", None))
        for layer in others:
            x = layer(x)
        return x
