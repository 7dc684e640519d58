"""Keep what batch norm learnt on the source, most where its statistics transfer."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

__all__ = ["StatisticConsistency", "transferability"]


def transferability(divergence: Tensor) -> Tensor:
    """Weight of each channel of a network, the higher the less it diverges; mean 1 over all channels.

    ``N / (1 + d) / sum(1 / (1 + d))`` for N divergences ``d >= 0`` in any shape; the same shape.
    """
    closeness = 1 / (1 + divergence)
    return closeness / closeness.mean()


class StatisticConsistency(nn.Module):
    r"""Distance of batch norm's scale and offset from the source's, after OSUDA (Liu et al., MICCAI 2021).

    :math:`(1 + a_c)\,(|\gamma_c - \gamma_c^s| + |\beta_c - \beta_c^s|)` for channel c of any layer, where a is the
    `transferability` of the divergence :math:`|\mu^s/\sqrt{v^s + \epsilon} - \mu/\sqrt{v + \epsilon}|` of running
    statistics, without gradient. A reconstruction: the paper's equations are not confirmed here.
    # Departs: the mean over channels by default, where the reconstruction has the sum; with the sum, the weight against
    # another term would depend on the network's width.

    Args:
        layers: batch norm layers; their state when this is made is the source.
        reduction: ``"mean"`` or ``"sum"`` over all channels of all layers.

    Raises:
        ValueError: if there is no layer, or one lacks scale, offset or running statistics.
    """

    def __init__(self, layers: Iterable[_BatchNorm], *, reduction: str = "mean") -> None:
        super().__init__()
        if reduction not in ("mean", "sum"):
            raise ValueError(f"Expected reduction 'mean' or 'sum', found {reduction!r}.")
        self.reduction = reduction
        self._layers = tuple(layers)  # a tuple, because they stay parts of the network alone
        if not self._layers or any(layer.bias is None or layer.running_mean is None for layer in self._layers):
            raise ValueError(
                "Expected batch norm layers with scale, offset and running statistics, found none or others; give "
                "norm_layers(network), or choose a method that does not rely on batch norm."
            )
        self._affine, self._standing = self._learnt().detach().clone(), self._standings()

    def divergence(self) -> Tensor:
        """Of each channel of all layers in turn, >= 0."""
        return (self._standing - self._standings()).abs()

    def forward(self, **_: object) -> Tensor:
        moved = (self._learnt() - self._affine).abs().sum(0)
        distance = (1 + transferability(self.divergence())) * moved
        return distance.mean() if self.reduction == "mean" else distance.sum()

    def _learnt(self) -> Tensor:
        """(2, N) scale and offset."""
        scale, offset = ([getattr(layer, name) for layer in self._layers] for name in ("weight", "bias"))
        return torch.stack([torch.cat(scale), torch.cat(offset)])

    @torch.no_grad()
    def _standings(self) -> Tensor:
        """(N,) running means in units of their deviation."""
        return torch.cat([_standing(layer) for layer in self._layers])


def _standing(layer: _BatchNorm) -> Tensor:
    assert layer.running_mean is not None
    assert layer.running_var is not None
    return layer.running_mean / (layer.running_var + layer.eps).sqrt()
