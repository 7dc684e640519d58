"""Uncertainty of class activation maps."""

from __future__ import annotations

from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from monai_sfda.networks.tap import FeatureTap
from monai_sfda.pseudo.monte_carlo import Running, must_differ

__all__ = ["cam_spread"]


@torch.no_grad()
def cam_spread(network: nn.Module, layer: str, weights: Tensor, image: Tensor, *, passes: int) -> Tensor:
    r"""Standard deviation of the class activation maps over stochastic passes, of Grad-CL (reconstruction).

    .. math:: A_k = \mathrm{ReLU}(\sum_c a_{kc} F_c) / \max_n

    Args:
        network: (B, C, *S) -> anything; a copy of it runs with dropout and batch statistics, as in `MonteCarlo`.
        layer: gives F, (B, D, *s).
        weights: a, (B, K, D), the same in every pass.
        image: (B, C, *S).
        passes: at least 2.

    Returns:
        (B, K, *s) in [0, 0.71]; 0 where a class has no positive evidence.

    Raises:
        ValueError: if all passes agree to the bit, because nothing in the network is random.
    """
    copy, maps = deepcopy(network).requires_grad_(False).train(), Running()
    with FeatureTap(copy, layer) as tap:
        for _ in range(passes):
            copy(image)
            maps.add(_activation_maps(weights, tap.output.float()))
    spread = maps.std()
    if maps.mean.any():
        must_differ(spread, network, passes)
    return spread


def _activation_maps(weights: Tensor, features: Tensor) -> Tensor:
    maps = F.relu(torch.einsum("bkd,bdn->bkn", weights, features.flatten(2)))
    maps = maps / maps.amax(2, keepdim=True).clamp_min(1e-12)
    return maps.unflatten(2, features.shape[2:])
