"""Networks that were trained on other input than the bundles give."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import torch
from torch import Tensor, nn

__all__ = ["with_input"]

Network = TypeVar("Network", bound=nn.Module)


def with_input(
    network: Network,
    *,
    grey: bool = False,
    value_range: Sequence[float] = (-1.0, 1.0),
    standardise: bool = False,
) -> Network:
    """Let a network take RGB pictures, or grey volumes, in [-1, 1], whatever it was trained on.

    Views, reports and image quality go on working on RGB pictures; the network sees what it knows. The change happens
    before its forward pass and adds nothing to its state dict. Export it by tracing (``ckpt_export --use_trace True``):
    scripting refuses such hooks.

    Args:
        network: changed in place.
        grey: it has one input channel: the mean of the three, which is the picture itself if that is grey.
        value_range: lowest and highest value it was trained on, such as (0, 1).
        standardise: it was trained on images of mean 0 and standard deviation 1, each by itself, as MONAI's
            ``NormalizeIntensity`` makes them; ``value_range`` makes no difference then.

    Returns:
        The same network.

    Raises:
        ValueError: if the lowest value is not below the highest.
    """
    low, high = value_range
    if not low < high:
        raise ValueError(f"Expected a value_range that rises, such as [0, 1], found {list(value_range)}.")
    network.register_forward_pre_hook(_Change(grey, float(low), float(high), standardise))
    return network


class _Change:
    """A hook that can be copied and pickled with its network."""

    def __init__(self, grey: bool, low: float, high: float, standardise: bool) -> None:
        self.grey, self.low, self.high, self.standardise = grey, low, high, standardise

    def __call__(self, network: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        image, *rest = inputs
        if self.grey:
            image = image.mean(1, keepdim=True)
        if self.standardise:
            std, mean = torch.std_mean(image, tuple(range(1, image.ndim)), correction=0, keepdim=True)
            image = (image - mean) / torch.where(std == 0, 1, std)
        elif (self.low, self.high) != (-1.0, 1.0):
            image = self.low + (image + 1) * ((self.high - self.low) / 2)
        return (image, *rest)
