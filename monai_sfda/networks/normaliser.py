"""A shallow network that repaints the image for the network behind it."""

from __future__ import annotations

from typing import Any

import torch
from monai.networks.layers.factories import Conv
from torch import Tensor, nn

__all__ = ["Normaliser", "WithNormaliser", "learn_normaliser"]


class Normaliser(nn.Module):
    """Residual image-to-image network ``x + d(x)`` of three convolutions, at first the identity.

    From Karani et al., Medical Image Analysis 2021. Departs: there it is trained together with the source network; here
    the last convolution starts at zero, so that it can stand in front of any network.

    Args:
        in_channels: channels of the image.
        hidden: filters of the two hidden convolutions.
        kernel_size: odd; the released configs have 3 where they adapt and 1 where they train the source network.
        spatial_dims: 2 for images, 3 for volumes.
        seed: of the hidden filters, so that two runs start equal.

    Shape:
        (B, in_channels, *S) -> the same.
    """

    def __init__(
        self,
        in_channels: int = 3,
        *,
        hidden: int = 16,
        kernel_size: int = 3,
        spatial_dims: int = 2,
        seed: int = 0,
    ) -> None:
        super().__init__()
        conv = Conv["conv", spatial_dims]
        if kernel_size % 2 == 0:
            raise ValueError(f"Expected an odd kernel_size, found {kernel_size}; an even one would shift the image.")
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.change = nn.Sequential(
                conv(in_channels, hidden, kernel_size, padding="same"),
                RadialActivation(hidden, spatial_dims),
                conv(hidden, hidden, kernel_size, padding="same"),
                RadialActivation(hidden, spatial_dims),
                last := conv(hidden, in_channels, kernel_size, padding="same"),
            )
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)  # type: ignore[arg-type] # there is one
        self.settings = {"in_channels": in_channels, "hidden": hidden, "kernel_size": kernel_size}
        if spatial_dims != 2:
            self.settings["spatial_dims"] = spatial_dims

    def forward(self, x: Tensor) -> Tensor:
        return x + self.change(x)


class RadialActivation(nn.Module):
    """``exp(-a^2 / s^2)`` with a learned width ``s`` per channel, drawn from N(0.2, 0.05) as released."""

    def __init__(self, channels: int, spatial_dims: int = 2) -> None:
        super().__init__()
        self.width = nn.Parameter(torch.empty(channels, *[1] * spatial_dims).normal_(0.2, 0.05))

    def forward(self, a: Tensor) -> Tensor:
        return torch.exp(-((a / self.width) ** 2))


class WithNormaliser(nn.Module):
    """A network that sees its input through a `Normaliser`; at first it gives exactly what the network gives.

    Args:
        network: (B, C, *S) -> logits.
        normaliser: arguments of `Normaliser`.
    """

    def __init__(self, network: nn.Module, **normaliser: Any) -> None:
        super().__init__()
        self.normaliser = Normaliser(**normaliser)
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        return self.network(self.normaliser(x))

    def wrap_definition(self, definition: dict) -> dict:
        """The ``network_def`` of a bundle that holds this network, from the one of the network inside."""
        return {"_target_": "monai_sfda.networks.WithNormaliser", "network": definition, **self.normaliser.settings}


def learn_normaliser(network: WithNormaliser) -> WithNormaliser:
    """Freeze the parameters of the network behind the normaliser; its statistics follow its mode (see `eval_mode`)."""
    network.network.requires_grad_(False)
    return network
