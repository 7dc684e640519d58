"""MobileNetV2 as an encoder with output stride 16."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor, nn
from torch.nn import functional as F

from monai_sfda.networks.blocks import conv
from monai_sfda.networks.fast.depthwise import DepthwiseConv2d
from monai_sfda.networks.load import assign_weights
from monai_sfda.networks.weights_file import read_weights

__all__ = ["MobileNetV2Encoder", "load_imagenet"]

# Table 2 of Sandler et al., CVPR 2018: expansion, channels, repeats, and (stride, dilation) of the first repeat.
# Departs: the 160-channel stage keeps stride 16, and only the 320-channel block after it is dilated, as the released
# code of BEAL, DPL and CBMT does.
STAGES = (
    (1, 16, 1, 1, 1),
    (6, 24, 2, 2, 1),
    (6, 32, 3, 2, 1),
    (6, 64, 4, 2, 1),
    (6, 96, 3, 1, 1),
    (6, 160, 3, 1, 1),
    (6, 320, 1, 1, 2),
)


class MobileNetV2Encoder(nn.Module):
    """MobileNetV2 (Sandler et al., CVPR 2018) without its classifier, at output stride 16.

    The submodules carry the names of torchvision's ``mobilenet_v2``, so that its weights fit (:func:`load_imagenet`).

    Args:
        in_channels: channels of the input image.

    Shape:
        (B, in_channels, H, W) -> low level (B, 24, H/4, W/4) and high level (B, 320, H/16, W/16), rounded up.
    """

    low_level_channels = 24
    high_level_channels = 320

    def __init__(self, in_channels: int = 3) -> None:
        super().__init__()
        channels = 32
        blocks: list[nn.Module] = [_norm6(conv(in_channels, channels, 3, stride=2, padding=1))]
        for expansion, width, repeats, first_stride, dilation in STAGES:
            for stride in [first_stride] + [1] * (repeats - 1):
                blocks.append(InvertedResidual(channels, width, expansion=expansion, stride=stride, dilation=dilation))
                channels = width
        self.features = nn.Sequential(*blocks)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        low_level = x
        for index, block in enumerate(self.features):
            x = block(x)
            if index == 3:
                low_level = x
        return low_level, x


class InvertedResidual(nn.Module):
    """Expand by 1x1, filter each channel by 3x3, project by 1x1; add the input where shapes allow.

    Departs: zeros are padded around the input of the *block*, not around the input of its 3x3, as the released code of
    BEAL, DPL and CBMT does. The border the 3x3 sees is then what batch norm makes of zero, and it counts in the batch
    statistics.
    """

    def __init__(self, in_channels: int, out_channels: int, *, expansion: int, stride: int, dilation: int) -> None:
        super().__init__()
        hidden = in_channels * expansion
        expand = [_norm6(conv(in_channels, hidden))] if expansion > 1 else []
        self.conv = nn.Sequential(
            *expand,
            _norm6(DepthwiseConv2d(hidden, stride=stride, dilation=dilation)),
            conv(hidden, out_channels),
            nn.BatchNorm2d(out_channels),
        )
        self.border = [dilation] * 4
        self.residual = stride == 1 and in_channels == out_channels

    def forward(self, x: Tensor) -> Tensor:
        out = self.conv(F.pad(x, self.border))
        return x + out if self.residual else out


def load_imagenet(encoder: MobileNetV2Encoder, path: str | Path) -> None:
    """Load ImageNet weights saved from torchvision's ``mobilenet_v2``, less its classifier and last convolution.

    Raises:
        ValueError: if the file holds other weights.
        FileNotFoundError: if there is no such file.
    """
    skipped = ("classifier.", f"features.{len(encoder.features)}.")
    weights = {key: value for key, value in read_weights(path).items() if not key.startswith(skipped)}
    assign_weights(encoder, weights, source=path)


def _norm6(layer: nn.Conv2d) -> nn.Sequential:
    return nn.Sequential(layer, nn.BatchNorm2d(layer.out_channels), nn.ReLU6(inplace=True))
