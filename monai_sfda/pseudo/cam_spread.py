"""Uncertainty of where a network looks."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from monai_sfda.networks.tap import FeatureTap
from monai_sfda.pseudo.monte_carlo import MonteCarlo

__all__ = ["cam_spread"]

EDGE = 1e-6  # keeps the logits of 0 and 1 finite


def cam_spread(network: nn.Module, layer: str, weights: Tensor, image: Tensor, *, passes: int) -> Tensor:
    r"""Standard deviation of the class activation maps over stochastic passes, of Grad-CL (reconstruction).

    .. math:: A_k = \mathrm{ReLU}(\sum_c a_{kc} F_c) / \max_n

    Args:
        network: as of `MonteCarlo`, which runs a copy of it with dropout and batch statistics.
        layer: gives F, (B, D, *s).
        weights: a, (B, K, D), the same in every pass.
        image: (B, C, *S).
        passes: at least 2.

    Returns:
        (B, K, *s) in [0, 0.71]; 0 where all weights are 0.
    """
    maps = _ActivationMaps(network, layer, weights)
    if not weights.any():
        with torch.no_grad():
            return torch.zeros_like(maps(image))
    spread = MonteCarlo(maps, passes=passes, temperature=1)(image, []).spread
    assert spread is not None
    return spread


class _ActivationMaps(nn.Module):
    """Gives the logits of the maps, so that the probabilities of `MonteCarlo` are the maps."""

    def __init__(self, network: nn.Module, layer: str, weights: Tensor) -> None:
        super().__init__()
        self.network, self.layer, self.weights = network, layer, weights

    def forward(self, image: Tensor) -> Tensor:
        with FeatureTap(self.network, self.layer) as tap:
            self.network(image)
            features = tap.output.float()
        maps = F.relu(torch.einsum("bkd,bdn->bkn", self.weights, features.flatten(2)))
        maps = maps / maps.amax(2, keepdim=True).clamp_min(1e-12)
        return maps.unflatten(2, features.shape[2:]).logit(eps=EDGE)
