"""How much each feature channel counts for each class: interchangeable weightings of Grad-CL (reconstruction).

Each is called with the features (B, D, *s) and the class scores (B, K) with their graph to the features; it returns
weights (B, K, D) without graph.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

__all__ = ["ChannelWeights", "FixedWeights", "GradCam", "RandomWeights"]

CANCELLED = (
    1e-3  # of the sum of absolute values: rounding leaves 1e-6 of cancelled sums in float32 and 1e-4 in bfloat16
)


class ChannelWeights(Protocol):
    """Weights (B, K, D) of the channels for each image and class."""

    def __call__(self, features: Tensor, score: Tensor) -> Tensor: ...


class GradCam:
    r"""Mean gradient :math:`a_{kc} = \frac1N\sum_n \partial S_k / \partial F_{cn}` (Selvaraju et al., ICCV 2017)."""

    def __call__(self, features: Tensor, score: Tensor) -> Tensor:
        """Raises ValueError: if the gradients of every channel cancel, as before a norm with batch statistics."""
        gradients = [gradient.flatten(2) for gradient in _gradients(features, score)]
        _check_cancelling(gradients)
        return torch.stack([gradient.mean(2) for gradient in gradients], 1)


class FixedWeights:
    """The same weights for every image: all 1 for plain features, those of a linear classifier for a static control.

    Args:
        weights: (K, D), or the weight (K, D, 1, ...) of a 1x1 convolution, whose present values are kept.
    """

    def __init__(self, weights: Tensor) -> None:
        self.weights = weights.detach().flatten(1).clone()

    def __call__(self, features: Tensor, score: Tensor) -> Tensor:
        return self.weights.to(features.device).expand(len(features), -1, -1)


class RandomWeights:
    """A random direction for each class, the same for all images, with the norm that another weighting has.

    Args:
        weighting: gives the norm for each image and class.
        seed: of the directions.
    """

    def __init__(self, weighting: ChannelWeights, *, seed: int = 0) -> None:
        self.weighting, self.seed = weighting, seed

    def __call__(self, features: Tensor, score: Tensor) -> Tensor:
        weights = self.weighting(features, score)
        generator = torch.Generator().manual_seed(self.seed)
        direction = torch.randn(weights.shape[1:], generator=generator).to(weights)
        return direction / direction.norm(dim=1, keepdim=True) * weights.norm(dim=2, keepdim=True)


def _gradients(features: Tensor, score: Tensor) -> list[Tensor]:
    """Gradient of each class score with respect to the features, K float32 tensors (B, D, *s); the graph stays."""
    return [torch.autograd.grad(column.sum(), features, retain_graph=True)[0].float() for column in score.unbind(1)]


def _check_cancelling(gradients: list[Tensor]) -> None:
    size = sum(gradient.abs().sum() for gradient in gradients)
    left = sum(gradient.sum((0, 2)).abs().sum() for gradient in gradients)
    if size > 0 and left < CANCELLED * size:
        raise ValueError(
            "Expected class gradients with a mean, found that they cancel in every channel: a normalisation after the "
            "layer (batch norm with batch statistics, instance norm) ignores a constant added to its input; name a "
            "layer after it, or run batch norm in evaluation mode (a network that learns: mode=frozen_stats)."
        )
