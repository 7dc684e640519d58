"""DeepLabV2 on MONAI's ResNet, the network of AdvEnt and MPSCL."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from monai.networks.nets import ResNet
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["DeepLabV2"]

RATES = (6, 12, 18, 24)


class DeepLabV2(nn.Module):
    """DeepLabV2 (Chen et al., TPAMI 2018) at output stride 8, with auxiliary logits from the third stage of the ResNet.

    The layer ``body.layer4`` gives the features of MPSCL, 2048 channels, and ``auxiliary`` the auxiliary logits, both
    at a stride of 8: with a recipe give ``--feature_layer body.layer4 --auxiliary_layer auxiliary --own_auxiliary
    True``. Departs: the first strided convolution of a stage is the 3x3 one, as in MONAI, and no weights of ImageNet
    come with it. With 101 layers it wants a graphics card.

    Args:
        in_channels: channels of the input image.
        out_channels: K, channels of the output.
        blocks: of each of the four stages; (3, 4, 23, 3) is ResNet-101.

    Shape:
        (B, in_channels, H, W) -> logits (B, K, H, W).
    """

    def __init__(self, in_channels: int = 3, out_channels: int = 2, *, blocks: Sequence[int] = (3, 4, 23, 3)) -> None:
        super().__init__()
        self.body = ResNet(
            "bottleneck", list(blocks), [64, 128, 256, 512], spatial_dims=2, n_input_channels=in_channels,
            conv1_t_size=7, conv1_t_stride=2, feed_forward=False, bias_downsample=False,
        )  # fmt: skip
        self.body.maxpool.ceil_mode = True  # as released: 33 x 33 features of 256 x 256 pixels
        for stage, rate in ((self.body.layer3, 2), (self.body.layer4, 4)):
            _dilate(stage, rate)
        self.auxiliary = _Classifier(1024, out_channels)
        self.classifier = _Classifier(2048, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        body = self.body
        early = body.layer3(body.layer2(body.layer1(body.maxpool(torch.relu(body.bn1(body.conv1(x)))))))
        self.auxiliary(early)  # for whoever reads this layer
        return F.interpolate(self.classifier(body.layer4(early)), size=x.shape[2:], mode="bilinear", align_corners=True)


class _Classifier(nn.Module):
    """Sum of four 3x3 convolutions with holes: (B, C, h, w) -> (B, K, h, w)."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        branches = [nn.Conv2d(in_channels, out_channels, 3, padding=rate, dilation=rate) for rate in RATES]
        for branch in branches:
            nn.init.normal_(branch.weight, 0.0, 0.01)
        self.branches = nn.ModuleList(branches)

    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([branch(x) for branch in self.branches]).sum(0)


def _dilate(stage: nn.Module, rate: int) -> None:
    """Take the stride out of a stage, and widen its 3x3 convolutions instead."""
    for layer in stage.modules():
        if isinstance(layer, nn.Conv2d):
            layer.stride = (1, 1)
            if layer.kernel_size == (3, 3):
                layer.dilation = layer.padding = (rate, rate)
