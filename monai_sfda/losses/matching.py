"""Bring what batch norm sees of the target to the statistics that it keeps of the source."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

__all__ = ["StatisticMatch"]


class StatisticMatch(nn.Module):
    r"""Distance of a batch's statistics from the running ones, as in VPTTA (Chen et al., CVPR 2024).

    The mean over layers and channels of :math:`|\mu^s - \mu| + |\sigma^s - \sigma|`, of the input of each batch norm
    layer in the last forward of the network. Useful where the layers are in evaluation mode, so that the source's
    statistics stay.
    # Departs: all layers count, where the released code takes those of the encoder, and there is no warm-up, in which
    # the source's statistics are mixed with those of the image.

    Args:
        layers: batch norm layers of the network that is trained.

    Raises:
        ValueError: if there is no layer, or one keeps no running statistics.
    """

    def __init__(self, layers: Iterable[_BatchNorm]) -> None:
        super().__init__()
        self._layers = tuple(layers)  # a tuple, because they stay parts of the network alone
        if not self._layers or any(layer.running_mean is None for layer in self._layers):
            raise ValueError(
                "Expected batch norm layers with running statistics, found none or others; give norm_layers(network), "
                "or choose a method that does not rely on batch norm."
            )
        self._seen: dict[int, Tensor] = {}
        for place, layer in enumerate(self._layers):
            layer.register_forward_pre_hook(self._keeper(place, layer))

    def _keeper(self, place: int, own: _BatchNorm) -> Any:
        def keep(module: nn.Module, inputs: tuple[Tensor]) -> None:
            if module is own and torch.is_grad_enabled():  # a copy has the hook too
                self._seen[place] = _distance(own, inputs[0])

        return keep

    def forward(self, **_: object) -> Tensor:
        """Raises RuntimeError: if there was no forward with gradient since the last call."""
        if not self._seen:
            raise RuntimeError("Expected a forward of the network before its statistics, found none; call it first.")
        found = torch.stack(list(self._seen.values()))
        self._seen = {}
        return found.mean()


def _distance(layer: _BatchNorm, values: Tensor) -> Tensor:
    assert layer.running_mean is not None
    assert layer.running_var is not None
    others = [axis for axis in range(values.ndim) if axis != 1]
    var, mean = torch.var_mean(values.float(), others, correction=0)
    spread = (var + layer.eps).sqrt() - (layer.running_var + layer.eps).sqrt()
    return ((mean - layer.running_mean).abs() + spread.abs()).mean()
