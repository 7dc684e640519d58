"""An atrous convolution that leaves out the products with its border of zeros."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["AtrousConv2d"]


class AtrousConv2d(nn.Conv2d):
    """3x3 convolution with a dilation and a border of zeros as wide, without products with that border alone.

    With a rate of 18, the outer weights of the filters meet nothing but zeros on a map of 16 x 16 pixels; they are left
    out, which takes a fifth of the time forwards and backwards and gives the same sums.

    Args:
        in_channels, out_channels: C and K.
        rate: dilation, and width of the border.

    Shape:
        (B, C, H, W) -> (B, K, H, W).
    """

    def __init__(self, in_channels: int, out_channels: int, *, rate: int) -> None:
        super().__init__(in_channels, out_channels, 3, padding=rate, dilation=rate, bias=False)
        nn.init.kaiming_normal_(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        if not torch.jit.is_scripting() and max(x.shape[2:]) <= self.dilation[0]:
            return F.conv2d(x, self.weight[:, :, 1:2, 1:2], self.bias)  # a copy with batch norm in it has a bias
        return self._conv_forward(x, self.weight, self.bias)
