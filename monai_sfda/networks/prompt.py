"""A prompt for images: factors of their lowest frequencies, in front of a network that stays as it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["AmplitudePrompt", "WithPrompt", "learn_prompt"]


class AmplitudePrompt(nn.Module):
    """Multiplies the lowest frequencies of an image by learned factors, at first 1: amplitudes change, phases do not.

    From Chen et al., Each Test Image Deserves A Specific Prompt, CVPR 2024 (VPTTA).

    Args:
        in_channels: channels of the image.
        size: number of frequencies in each direction, around the mean brightness.

    Shape:
        (B, in_channels, *S) -> the same, float32.
    """

    def __init__(self, in_channels: int, size: Sequence[int]) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.ones(in_channels, *size))

    def forward(self, image: Tensor) -> Tensor:
        axes = tuple(range(2, image.ndim))
        spectrum = torch.fft.fftshift(torch.fft.fftn(image.float(), dim=axes), dim=axes)
        centre = tuple(
            slice(side // 2 - size // 2, side // 2 - size // 2 + size)
            for side, size in zip(image.shape[2:], self.factor.shape[1:], strict=True)
        )
        factor = torch.ones_like(image[0], dtype=torch.float32)
        factor[(slice(None), *centre)] = self.factor
        return torch.fft.ifftn(torch.fft.ifftshift(spectrum * factor, dim=axes), dim=axes).real


class WithPrompt(nn.Module):
    """A network that sees its input through an `AmplitudePrompt`; at first it gives what the network gives.

    Args:
        network: (B, C, *S) -> logits.
        prompt: arguments of `AmplitudePrompt`.
    """

    def __init__(self, network: nn.Module, **prompt: Any) -> None:
        super().__init__()
        self.prompt = AmplitudePrompt(**prompt)
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        return self.network(self.prompt(x))

    def wrap_definition(self, definition: dict) -> dict:
        """The ``network_def`` of a bundle that holds this network, from the one of the network inside."""
        in_channels, *size = self.prompt.factor.shape
        return {
            "_target_": "monai_sfda.networks.WithPrompt",
            "network": definition,
            "in_channels": in_channels,
            "size": size,
        }


def learn_prompt(network: WithPrompt) -> WithPrompt:
    """Freeze the parameters of the network behind the prompt; its statistics follow its mode (see `eval_mode`)."""
    network.network.requires_grad_(False)
    return network
