"""Atrous spatial pyramid pooling: one feature map seen at five scales."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from monai_sfda.networks.blocks import conv, conv_norm
from monai_sfda.networks.fast.atrous import AtrousConv2d
from monai_sfda.networks.fast.dropout import LaneDropout

__all__ = ["AtrousPyramid"]


class AtrousPyramid(nn.Module):
    """Atrous spatial pyramid pooling (Chen et al., ECCV 2018) for output stride 16.

    Args:
        in_channels: channels of the encoder's last feature map.
        dropout: probability of dropout at the end.

    Shape:
        (B, in_channels, h, w) -> (B, 256, h, w).
    """

    def __init__(self, in_channels: int, *, dropout: float = 0.5) -> None:
        super().__init__()
        far = [_far(in_channels, rate) for rate in (6, 12, 18)]
        self.branches = nn.ModuleList([nn.Sequential(*conv_norm(in_channels, 256)), *far])
        self.pool = PooledBranch(in_channels, 256)
        self.project = nn.Sequential(*conv_norm(5 * 256, 256), LaneDropout(dropout))

    def forward(self, x: Tensor) -> Tensor:
        scales = [branch(x) for branch in self.branches]
        # Adding zeros, unlike expanding, keeps the memory layout that the concatenation then takes over.
        scales.append(self.pool(x) + torch.zeros_like(scales[0]))
        return self.project(torch.cat(scales, dim=1))


class PooledBranch(nn.Module):
    """Mean over the image, 1x1 convolution, batch norm, ReLU: (B, C, h, w) -> (B, D, 1, 1)."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv = conv(in_channels, out_channels)
        self.norm = nn.BatchNorm2d(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        if not torch.jit.is_scripting():
            _require_batch(x, self.norm)
        return torch.relu(self.norm(self.conv(x.mean((2, 3), keepdim=True))))


def _far(in_channels: int, rate: int) -> nn.Sequential:
    return nn.Sequential(AtrousConv2d(in_channels, 256, rate=rate), nn.BatchNorm2d(256), nn.ReLU(inplace=True))


def _require_batch(x: Tensor, norm: nn.Module) -> None:
    # SyncBatchNorm may find its other images on other devices and does its own check.
    batch_statistics = norm.training or norm.running_mean is None
    if batch_statistics and x.shape[0] == 1 and not isinstance(norm, nn.SyncBatchNorm):
        raise ValueError(
            "Expected at least 2 images in a batch while batch norm uses batch statistics (the pooled branch leaves "
            "one value per channel and image), found 1; raise the batch size, drop the last incomplete batch, or set "
            "mode to frozen_stats."
        )
