"""A network that turns implausible segmentations into plausible ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from monai.networks.blocks import Convolution, UpSample
from monai.networks.layers.factories import Conv
from monai.networks.nets import BasicUNet
from torch import Tensor, nn
from torch.nn import functional as F

from monai_sfda.functional import check_head, probabilities, soft_dice
from monai_sfda.networks.load import load_network

__all__ = ["AtlasFallback", "Denoiser", "load_denoiser"]


class Denoiser(nn.Module):
    """Denoising autoencoder of label maps: a U-Net without skip at its first level, so that it cannot copy its input.

    After Karani et al., Medical Image Analysis 2021. Departs: theirs is three-dimensional; here maps are of images or
    of volumes, as ``size`` says, and are reduced to it, whatever their own size.

    Args:
        channels: class channels K.
        head: ``"sigmoid"`` or ``"softmax"``, as the network whose predictions are denoised.
        size: rows and columns, or slices, rows and columns, that it works at, each a multiple of 32.
        features: filters of the five levels below the first, and of the last layer.

    Shape:
        probabilities (B, K, *S) -> probabilities (B, K, *S).
    """

    def __init__(
        self,
        channels: int,
        *,
        head: str = "sigmoid",
        size: Sequence[int] = (128, 128),
        features: tuple[int, ...] = (16, 32, 64, 128, 128, 16),
    ) -> None:
        super().__init__()
        if any(side % 32 for side in size):
            raise ValueError(f"Expected a size of multiples of 32, found {tuple(size)}; its five levels halve it.")
        self.head, self.size = check_head(head), tuple(size)
        axes, first, last = len(self.size), features[0], features[-1]
        self.layers = nn.Sequential(
            Convolution(axes, channels, first, strides=2, norm="batch", act="relu"),
            BasicUNet(axes, first, last, features=features, norm="batch"),
            UpSample(axes, last, last, scale_factor=2),
            Conv["conv", axes](last, channels, 3, padding=1),
        )

    def forward(self, probs: Tensor) -> Tensor:
        """Raises ValueError: for maps of another number of axes."""
        if probs.ndim - 2 != len(self.size):
            raise ValueError(
                f"Expected maps of {len(self.size)} axes to denoise, found shape {tuple(probs.shape)}; train a "
                f"denoiser of {probs.ndim - 2} axes with train_denoiser.json."
            )
        small = _resize(probs.float(), self.size)
        return _resize(probabilities(self.layers(small), self.head), probs.shape[2:])


class AtlasFallback(nn.Module):
    """The denoised prediction, or the atlas for images whose prediction is too far off for the denoiser.

    With both thresholds at 0, as in the released configs, the atlas is never chosen; the paper has positive ones.

    Args:
        denoiser: see `Denoiser`.
        atlas: (K, *s) mean of the source label maps, or its file; resized to the prediction.
        min_ratio: least Dice(prediction, denoised) / Dice(prediction, atlas) to trust the denoiser.
        min_dice: least Dice(prediction, atlas) to trust the denoiser.

    Shape:
        probabilities (B, K, *S) -> probabilities (B, K, *S).
    """

    atlas: Tensor

    def __init__(
        self, denoiser: nn.Module, atlas: Tensor | str | Path, *, min_ratio: float = 0.0, min_dice: float = 0.0
    ) -> None:
        super().__init__()
        atlas = atlas if isinstance(atlas, Tensor) else torch.load(atlas, map_location="cpu", weights_only=True)
        self.denoiser, self.min_ratio, self.min_dice = denoiser, min_ratio, min_dice
        self.register_buffer("atlas", atlas.float().unsqueeze(0))

    def forward(self, probs: Tensor) -> Tensor:
        denoised = self.denoiser(probs)
        atlas = _resize(self.atlas, probs.shape[2:]).expand_as(denoised)
        to_denoised, to_atlas = (soft_dice(probs, target).mean(1) for target in (denoised, atlas))
        trusted = (to_denoised >= self.min_ratio * to_atlas) & (to_atlas >= self.min_dice)
        return torch.where(trusted.view(-1, *[1] * (probs.ndim - 1)), denoised, atlas)


def load_denoiser(denoiser: Denoiser, path: str | Path) -> Denoiser:
    """Fill a denoiser with the weights of a file, freeze it and put it into evaluation mode.

    Raises:
        FileNotFoundError: if it was not trained yet; says how.
        ValueError: if the file does not fit.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(
            f"Expected a denoiser trained on source label maps at {path}, found nothing there; train it in the bundle: "
            "python -m monai.bundle run --config_file configs/train_denoiser.json --dataset_dir LABELLED"
        )
    return load_network(denoiser, path).requires_grad_(False).eval()


def _resize(maps: Tensor, size: tuple[int, ...]) -> Tensor:
    """Linear, and smoothed where it shrinks; untouched where it fits."""
    if maps.shape[2:] == tuple(size):
        return maps
    if len(size) == 2:
        return F.interpolate(maps, size, mode="bilinear", antialias=True)
    depth, height, width = (min(side, wanted) for side, wanted in zip(maps.shape[2:], size, strict=True))
    # PyTorch smooths images only; the mean over what becomes one voxel does that for volumes
    return F.interpolate(F.adaptive_avg_pool3d(maps, (depth, height, width)), size, mode="trilinear")
