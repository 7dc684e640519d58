"""Depthwise convolution that does not wait for the CPU's bfloat16 gradient."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["DepthwiseConv2d"]


class DepthwiseConv2d(nn.Conv2d):
    """Depthwise convolution as :class:`torch.nn.Conv2d`, but with float32 gradients where those of bfloat16 are slow.

    With a stride or a dilation, oneDNN's bfloat16 gradients of a depthwise convolution take 2-40 times as long as its
    float32 ones. There a bfloat16 map on a CPU is convolved in float32 and rounded back, if a gradient is wanted.

    Args:
        channels: channels of the input, and as many filters.
        kernel: side of the filter.
        stride: step of the filter, as in :class:`torch.nn.Conv2d`.
        dilation: distance between the weights of the filter, as in :class:`torch.nn.Conv2d`.

    Shape:
        (B, channels, H, W) -> (B, channels, H', W'), without padding.
    """

    def __init__(self, channels: int, kernel: int = 3, *, stride: int = 1, dilation: int = 1) -> None:
        super().__init__(channels, channels, kernel, stride, dilation=dilation, groups=channels, bias=False)
        nn.init.kaiming_normal_(self.weight)
        self.slow_in_bfloat16 = stride > 1 or dilation > 1

    def forward(self, x: Tensor) -> Tensor:
        if torch.jit.is_scripting():
            return self._conv_forward(x, self.weight, self.bias)
        if self.slow_in_bfloat16 and x.requires_grad and x.dtype == torch.bfloat16 and x.device.type == "cpu":
            with torch.autocast("cpu", enabled=False):
                return self._conv_forward(x.float(), self.weight.float(), None).to(x.dtype)
        return self._conv_forward(x, self.weight, self.bias)
