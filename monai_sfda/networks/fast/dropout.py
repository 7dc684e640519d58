"""Dropout whose random numbers are fast on a CPU."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["LaneDropout", "lane_dropout"]

LANES = 4  # 16-bit lanes in a 64-bit random number


class LaneDropout(nn.Dropout):
    """Dropout as :class:`torch.nn.Dropout`, but for the random stream and a probability rounded to 2^-16.

    On a CPU torch draws the mask in one thread, number by number, which is two fifths of a training step of MONAI's
    BasicUNet on two threads; here four values share one 64-bit random number. Other devices and TorchScript use torch's
    own dropout.

    Args:
        p: probability of zero, in [0, 1].

    Shape:
        any -> the same; in training kept values are divided by 1 - p, in evaluation nothing changes.
    """

    def __init__(self, p: float = 0.5) -> None:
        super().__init__(p)

    def forward(self, x: Tensor) -> Tensor:
        if torch.jit.is_scripting():
            return F.dropout(x, self.p, self.training)
        if self.training and x.device.type == "cpu" and 0.0 < self.p < 1.0:
            return x * _mask(x, self.p)
        return F.dropout(x, self.p, self.training)


def lane_dropout(network: nn.Module) -> nn.Module:
    """Put `LaneDropout` in the place of each :class:`torch.nn.Dropout` inside a network, and return the network.

    Weights and modes stay. Dropout of whole channels and subclasses of ``Dropout`` are left alone.
    """
    for module in list(network.modules()):
        for name, child in module.named_children():
            if type(child) is nn.Dropout:
                setattr(module, name, LaneDropout(child.p).train(child.training))
    return network


def _mask(x: Tensor, p: float) -> Tensor:
    """0 or 1 / (1 - p), in the type and the layout of ``x``."""
    mask = torch.empty_like(x)
    numbers = torch.empty(-(-x.numel() // LANES), dtype=torch.int64).random_(-(2**63), None)
    # The lanes lie in memory as the mask does, so that a channels-last map meets a channels-last mask.
    lanes = numbers.view(torch.int16)[: x.numel()].as_strided(mask.shape, mask.stride())
    kept = lanes.ge_(round(p * 2**16) - 2**15)
    if x.dtype in (torch.bfloat16, torch.float16):  # as wide as a lane: 1 times the bits of a number is that number
        bits = torch.tensor(1 / (1.0 - p), dtype=x.dtype).view(torch.int16)
        return kept.mul_(bits).view(x.dtype)
    return mask.copy_(kept).div_(1.0 - p)
