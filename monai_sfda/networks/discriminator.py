"""Discriminators, which say of each part of a map whether it was made of source or target."""

from __future__ import annotations

from itertools import pairwise

import torch
from monai.networks.layers import Conv
from monai.networks.nets import PatchDiscriminator as MonaiPatchDiscriminator
from torch import Tensor, nn

__all__ = ["Discriminator", "PatchDiscriminator"]

SIZE = "Expected maps of at least {least} pixels a side for a discriminator, found {found}; use larger images."


class Discriminator(nn.Module):
    """Five convolutions of stride 2, each but the last with LeakyReLU(0.2), without normalisation.

    As in the released code of AdvEnt (Vu et al., CVPR 2019: padding 1, bias) and of BEAL (Wang et al., MICCAI 2019:
    padding 2, no bias, first weights from N(0, 0.02)).

    Args:
        in_channels: channels of the maps that it sees.
        spatial_dims: 2 for images and slices, 3 for volumes.
        width: channels after the first convolution; 64 as published, doubled by each of the next three.
        padding: of each convolution, 1 or 2.
        bias: whether the convolutions have one.
        weight_std: standard deviation of the first weights; None: PyTorch's own.

    Shape:
        (B, in_channels, *S) -> logits (B, 1, *s); with padding 1 each side is halved five times, rounded down.
    """

    def __init__(
        self,
        in_channels: int,
        *,
        spatial_dims: int = 2,
        width: int = 64,
        padding: int = 1,
        bias: bool = True,
        weight_std: float | None = None,
    ) -> None:
        super().__init__()
        widths = [in_channels, width, 2 * width, 4 * width, 8 * width, 1]
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            convolution = Conv["conv", spatial_dims](before, after, 4, stride=2, padding=padding, bias=bias)
            layers += [convolution, nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers[:-1])
        if weight_std is not None:
            for layer in layers[::2]:
                nn.init.normal_(layer.weight, 0.0, weight_std)  # type: ignore[arg-type] # a convolution
        self._least = 32 if padding == 1 else 2

    def forward(self, maps: Tensor) -> Tensor:
        """Raises ValueError: if the maps are too small."""
        _require_size(maps, self._least)
        return self.layers(maps)


class PatchDiscriminator(nn.Module):
    """MONAI's patch discriminator with batch norm, of which only the answer is given.

    MPSCL (Liu et al., JBHI 2022) uses it from CT to MR. First weights from N(0, 0.02).

    Args:
        in_channels: channels of the maps that it sees.
        spatial_dims: 2 for images and slices, 3 for volumes.
        width: channels after the first convolution; 64 as published.

    Shape:
        (B, in_channels, H, W) -> logits (B, 1, H / 8 - 2, W / 8 - 2).
    """

    def __init__(self, in_channels: int, *, spatial_dims: int = 2, width: int = 64) -> None:
        super().__init__()
        self.body = MonaiPatchDiscriminator(spatial_dims, width, in_channels, num_layers_d=3, norm="BATCH")

    def forward(self, maps: Tensor) -> Tensor:
        """Raises ValueError: if the maps are too small."""
        _require_size(maps, 32)
        return self.body(maps)[-1]


def _require_size(maps: Tensor, least: int) -> None:
    if not torch.jit.is_tracing() and min(maps.shape[2:]) < least:
        found = " x ".join(map(str, maps.shape[2:]))
        raise ValueError(SIZE.format(least=least, found=found))
