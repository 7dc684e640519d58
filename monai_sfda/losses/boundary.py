"""BEAL's boundary: its target, its loss, and what a discriminator sees of it."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from monai_sfda.functional import check_head, scaled

__all__ = ["BoundaryLoss", "boundary_target", "shows_boundary"]


def boundary_target(label: Tensor, *, width: int = 5, sigma: float = 3.0) -> Tensor:
    """Soft bands along the edges of 2-D masks, as BEAL's released code makes them (Wang et al., MICCAI 2019).

    ``width`` dilations less ``width`` erosions of each mask, their union over the channels, and a Gaussian blur on
    8-bit values, which rounds down after each axis. What is outside the image counts as background.

    Args:
        label: (B, K, H, W) of 0 and 1, K structures without background.
        width: half the width of a band in pixels, >= 1.
        sigma: of the blur in pixels, > 0.

    Returns:
        (B, 1, H, W) in [0, 1].

    Raises:
        ValueError: for volumes.
    """
    if label.ndim != 4:
        raise ValueError(
            f"Expected masks (B, K, H, W) to make a boundary of, found {tuple(label.shape)}; adapt to slices, with an "
            "image_size of two numbers, or choose another method."
        )
    mask = (label > 0.5).float()
    band = (_dilated(mask, width, outside=0.0) - (1 - _dilated(1 - mask, width, outside=1.0))).amax(1, keepdim=True)
    radius = int(4 * sigma + 0.5)
    steps = torch.arange(-radius, radius + 1, device=label.device, dtype=torch.float64)
    kernel = torch.exp(-(steps**2) / (2 * sigma**2))
    grey = 255 * band.double()
    for axis in (2, 3):
        grey = _blurred(grey, kernel / kernel.sum(), axis).add(1e-6).floor()
    return (grey / 255).to(label.dtype if label.is_floating_point() else torch.float32)


class BoundaryLoss(nn.Module):
    """Mean squared error of predicted and true boundary on labelled source images (BEAL), use it on the source stream.

    Args:
        head: of the segmentation; with a softmax head the boundaries of all classes but the background count.

    Shape:
        boundary (B, 1, *s) logits, label (B, K, H, W); result ().
    """

    def __init__(self, *, head: str = "sigmoid") -> None:
        super().__init__()
        self.head = check_head(head)

    def forward(self, *, boundary: Tensor, label: Tensor, **_: object) -> Tensor:
        structures = label if self.head == "sigmoid" else label[:, 1:]
        target = boundary_target(structures.float())
        return F.mse_loss(scaled(boundary.float(), target.shape[2:]).sigmoid(), target)


def shows_boundary(*, pred: Tensor, boundary: Tensor, **_: object) -> Tensor:
    """The predicted boundary (B, 1, H, W) in [0, 1] at the size of the prediction: what BEAL's discriminator sees."""
    return scaled(boundary.float(), pred.shape[2:]).sigmoid()


def _dilated(mask: Tensor, times: int, *, outside: float) -> Tensor:
    """Grow by the four neighbours of each pixel."""
    for _ in range(times):
        mask = F.pad(mask, (1, 1, 1, 1), value=outside)
        mask = torch.maximum(F.max_pool2d(mask[..., 1:-1], (3, 1), 1), F.max_pool2d(mask[..., 1:-1, :], (1, 3), 1))
    return mask


def _blurred(maps: Tensor, kernel: Tensor, axis: int) -> Tensor:
    """Along one axis, mirrored at the borders; an image smaller than the kernel is mirrored several times."""
    radius, length = len(kernel) // 2, maps.shape[axis]
    places = torch.arange(-radius, length + radius, device=maps.device) % (2 * length)
    padded = maps.index_select(axis, torch.where(places < length, places, 2 * length - 1 - places))
    shape = (1, 1, -1, 1) if axis == 2 else (1, 1, 1, -1)
    return F.conv2d(padded, kernel.view(shape))
