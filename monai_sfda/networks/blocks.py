"""The two building blocks that every part of the network shares."""

from __future__ import annotations

from typing import Any

from torch import nn

__all__ = ["conv", "conv_norm"]


def conv(in_channels: int, out_channels: int, kernel: int = 1, *, bias: bool = False, **options: Any) -> nn.Conv2d:
    """Convolution with He-normal weights; ``options`` go to :class:`torch.nn.Conv2d`."""
    layer = nn.Conv2d(in_channels, out_channels, kernel, bias=bias, **options)
    nn.init.kaiming_normal_(layer.weight)
    return layer


def conv_norm(in_channels: int, out_channels: int, kernel: int = 1, **options: Any) -> list[nn.Module]:
    """Convolution, batch norm and ReLU, ready to be spread into a :class:`torch.nn.Sequential`."""
    layer = conv(in_channels, out_channels, kernel, **options)
    return [layer, nn.BatchNorm2d(out_channels), nn.ReLU(inplace=True)]
