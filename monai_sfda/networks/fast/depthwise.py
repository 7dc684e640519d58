"""Depthwise convolution whose gradients are fast on a CPU."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["DepthwiseConv2d"]


class DepthwiseConv2d(nn.Conv2d):
    """Depthwise convolution as :class:`torch.nn.Conv2d`, in another way where oneDNN's gradients on a CPU are slow.

    With a dilation d the gradients take 6 to 12 times as long as without. Every d-th pixel of every d-th row is an
    image that the filters see without dilation, so where a gradient is wanted, these d * d images are convolved.
    With a stride the gradients in bfloat16 take 2-40 times as long as in float32: there a bfloat16 map is convolved in
    float32 and rounded back.

    Args:
        channels: channels of the input, and as many filters.
        kernel: side of the filter.
        stride: step of the filter, as in :class:`torch.nn.Conv2d`.
        dilation: distance between the weights of the filter, as in :class:`torch.nn.Conv2d`; above 1 needs stride 1.

    Shape:
        (B, channels, H, W) -> (B, channels, H', W'), without padding.
    """

    def __init__(self, channels: int, kernel: int = 3, *, stride: int = 1, dilation: int = 1) -> None:
        if stride > 1 and dilation > 1:
            raise ValueError(f"Expected a stride or a dilation, found stride {stride} and dilation {dilation}.")
        super().__init__(channels, channels, kernel, stride, dilation=dilation, groups=channels, bias=False)
        nn.init.kaiming_normal_(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        if torch.jit.is_scripting():
            return self._conv_forward(x, self.weight, self.bias)
        if x.requires_grad and x.device.type == "cpu" and self.bias is None:  # a copy with batch norm in it has one
            if self.dilation[0] > 1:
                return _conv_dilated(x, self.weight, self.dilation[0])
            if self.stride[0] > 1 and x.dtype == torch.bfloat16:
                with torch.autocast("cpu", enabled=False):
                    return self._conv_forward(x.float(), self.weight.float(), None).to(x.dtype)
        return self._conv_forward(x, self.weight, self.bias)


def _conv_dilated(x: Tensor, weight: Tensor, step: int) -> Tensor:
    """``F.conv2d(x, weight, dilation=step, groups=C)`` of x (B, C, H, W): rows become images, columns channels."""
    batch, channels, height, width = x.shape
    lost = step * (weight.shape[2] - 1)
    image = F.pad(x, (0, -width % step, 0, -height % step)).permute(0, 2, 3, 1)
    high, wide = image.shape[1] // step, image.shape[2] // step
    image = image.reshape(batch, high, step, wide, -1).transpose(1, 2).reshape(batch * step, high, wide, -1)
    out = F.conv2d(image.permute(0, 3, 1, 2), weight.repeat(step, 1, 1, 1), groups=step * channels)
    high, wide = out.shape[2:]
    out = out.permute(0, 2, 3, 1).reshape(batch, step, high, wide, -1).transpose(1, 2)
    out = out.reshape(batch, high * step, wide * step, channels).permute(0, 3, 1, 2)
    return out[:, :, : height - lost, : width - lost].contiguous(memory_format=torch.channels_last)
