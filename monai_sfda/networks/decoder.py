"""Decoders: encoder details and pyramid context in, class logits at stride 4 out."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from monai_sfda.networks.blocks import conv, conv_norm
from monai_sfda.networks.fast.dropout import LaneDropout
from monai_sfda.networks.fast.upsampled import Fusion, join
from monai_sfda.networks.fast.winograd import WinogradConv2d

__all__ = ["BoundaryDecoder", "PlainDecoder"]

PYRAMID, DETAIL = 256, 48


class PlainDecoder(nn.Module):
    """Decoder of CBMT (Tang et al., MICCAI 2023); the output of ``feature`` is the method's feature map.

    Shape:
        low level (B, low_level_channels, H/4, W/4) and pyramid (B, 256, h, w) -> logits (B, K, H/4, W/4);
        ``feature`` gives (B, 256, H/4, W/4).
    """

    def __init__(
        self, low_level_channels: int, out_channels: int, *, feature_dropout: float = 0.5, head_dropout: float = 0.1
    ) -> None:
        super().__init__()
        self.low_level = nn.Sequential(*conv_norm(low_level_channels, DETAIL))
        self.feature = Fusion(*_fuse(feature_dropout))
        self.head = nn.Sequential(LaneDropout(head_dropout), conv(256, out_channels, bias=True))

    def forward(self, low_level: Tensor, pyramid: Tensor) -> Tensor:
        return self.head(self.feature(pyramid, self.low_level(low_level)))


class BoundaryDecoder(nn.Module):
    """Decoder of BEAL (Wang et al., MICCAI 2019) and DPL (Chen et al., MICCAI 2021): masks read the boundary too.

    ``boundary`` gives the boundary logits (B, 1, H/4, W/4), ``feature`` the map that DPL takes its prototypes from:
    pyramid, details and boundary logits before batch norm, (B, 305, H/4, W/4).

    Shape:
        low level (B, low_level_channels, H/4, W/4) and pyramid (B, 256, h, w) -> logits (B, K, H/4, W/4).
    """

    def __init__(
        self, low_level_channels: int, out_channels: int, *, feature_dropout: float = 0.5, head_dropout: float = 0.1
    ) -> None:
        super().__init__()
        joined = PYRAMID + DETAIL + 1
        self.low_level = nn.Sequential(*conv_norm(low_level_channels, DETAIL))
        self.boundary = Fusion(*_fuse(feature_dropout), LaneDropout(head_dropout), conv(256, 1, bias=True))
        self.feature = nn.Identity()
        self.head = nn.Sequential(
            nn.BatchNorm2d(joined),
            nn.ReLU(inplace=True),
            LaneDropout(head_dropout),
            conv(joined, out_channels, bias=True),
        )

    def forward(self, low_level: Tensor, pyramid: Tensor) -> Tensor:
        detail = self.low_level(low_level)
        boundary = self.boundary(pyramid, detail)
        return self.head(self.feature(torch.cat((join(pyramid, detail), boundary), dim=1)))


def _fuse(dropout: float) -> list[nn.Module]:
    joined = conv_norm(PYRAMID + DETAIL, 256, 3, padding=1)
    return [*joined, LaneDropout(dropout), WinogradConv2d(256, 256), nn.BatchNorm2d(256), nn.ReLU(inplace=True)]
