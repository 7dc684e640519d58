"""Several networks as one: each runs once, and each channel comes from those that are named for it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from monai_sfda.functional import check_head, log_probabilities

__all__ = ["Joined"]


class Joined(nn.Module):
    """Takes each channel from one of several networks, or the mean of the probabilities of some.

    For prediction only: it cannot be adapted, for methods change one network.

    Args:
        networks: each (B, C, H, W) -> logits (B, K, H, W).
        channels: for each of the K channels the places of its networks in ``networks``: ``[[0], [1]]`` takes the first
            channel from the first network and the second from the second, ``[[0, 1], [0, 1]]`` the means of both.
        head: ``"sigmoid"``, or ``"softmax"``, where all channels have to come from the same networks.

    Shape:
        (B, C, H, W) -> logits (B, K, H, W) float32; where a channel has one network, they are that network's.

    Raises:
        ValueError: if a place is none of the networks, or channels that exclude each other have different ones.
    """

    def __init__(self, networks: Sequence[nn.Module], channels: Sequence[Sequence[int]], *, head: str) -> None:
        super().__init__()
        self.head, self.channels = check_head(head), [list(places) for places in channels]
        known = set(range(len(networks)))
        if not all(places and set(places) <= known for places in self.channels):
            raise ValueError(
                f"Expected a network of {len(networks)} for each channel, found {self.channels}; give places from 0."
            )
        if head == "softmax" and any(places != self.channels[0] for places in self.channels):
            raise ValueError(
                f"Expected the same networks for all channels of a softmax head, found {self.channels}; they exclude "
                "each other, so take all from one."
            )
        self.networks = nn.ModuleList(networks)
        self.eval()

    def train(self, mode: bool = True) -> Joined:
        """Raises ValueError: if it is to train."""
        if mode:
            raise ValueError(
                f"Expected one network to adapt or train, found {len(self.networks)} that are joined; adapt the source "
                "bundle again instead."
            )
        return super().train(False)

    def forward(self, image: Tensor) -> Tensor:
        logits = [network(image).float() for network in self.networks]
        parts = [self._mean([logits[place] for place in places], k) for k, places in enumerate(self.channels)]
        return torch.cat(parts, 1)

    def _mean(self, logits: Sequence[Tensor], channel: int) -> Tensor:
        """Logits (B, 1, H, W) of the mean probability, formed from logarithms so that none is ever 0 or 1."""
        if len(logits) == 1:
            return logits[0][:, [channel]]
        both = [log_probabilities(each, self.head) for each in logits]
        yes, no = (torch.stack([pair[side][:, [channel]] for pair in both]).logsumexp(0) for side in (0, 1))
        return yes - no if self.head == "sigmoid" else yes
