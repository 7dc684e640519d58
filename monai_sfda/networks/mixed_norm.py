"""Batch norm between two cameras: statistics of the source mixed with those of the target batch.

OSUDA (Liu et al., MICCAI 2021, arXiv 2106.12497) has no public code and its equations are not confirmed here: this is a
reconstruction.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from monai_sfda.networks.norm import require_batch_norm

__all__ = ["MixedBatchNorm", "MixedStats", "mix_stats"]

Network = TypeVar("Network", bound=nn.Module)


class MixedBatchNorm(_BatchNorm):
    r"""Batch norm that trains with :math:`(1-\eta)\,batch + \eta\,source` in place of the batch's mean and variance.

    Running statistics become the same mixture of the source's and of an exponential average over target batches that
    starts at the source's. So at eta = 1 it is the source layer in evaluation mode, at eta = 0 torch's own layer in
    training, running statistics included. Gradients pass through the batch's part. In evaluation mode it is torch's own
    layer, with the same names in its state dict. On several processes each mixes its own batch. A layer behind
    a pooling to 1 x 1 takes its statistics from as many values as the batch has images.

    Args:
        layer: layer to stand in for; its parameters and running statistics are shared, not copied.

    Attributes:
        source_share: eta in [0, 1]; 1 at first.

    Raises:
        ValueError: if ``layer`` keeps no running statistics.

    Shape:
        (B, C, *S) -> the same.
    """

    source_mean: Tensor
    source_var: Tensor
    target_mean: Tensor
    target_var: Tensor

    def __init__(self, layer: _BatchNorm) -> None:
        if layer.running_mean is None or layer.running_var is None:
            raise ValueError("Expected batch norm with running statistics, found track_running_stats=False.")
        super().__init__(layer.num_features, layer.eps, layer.momentum, layer.affine)
        self.weight, self.bias = layer.weight, layer.bias
        self.running_mean, self.running_var = layer.running_mean, layer.running_var
        self.num_batches_tracked = layer.num_batches_tracked
        for origin in ("source", "target"):
            self.register_buffer(f"{origin}_mean", layer.running_mean.clone(), persistent=False)
            self.register_buffer(f"{origin}_var", layer.running_var.clone(), persistent=False)
        self.source_share = 1.0
        self.train(layer.training)

    def _check_input_dim(self, input: Tensor) -> None:
        """Any number of dimensions: the layer stands in for the 1D, 2D and 3D ones."""

    def forward(self, input: Tensor) -> Tensor:
        if not self.training:
            return super().forward(input)
        values = input.numel() // input.shape[1]
        if values < 2:
            raise ValueError(
                "Expected more than 1 value per channel for batch statistics, found 1; put at least 2 in a batch."
            )
        others = [axis for axis in range(input.ndim) if axis != 1]
        var, mean = torch.var_mean(input.float(), others, correction=0)
        self._follow(mean.detach(), var.detach() * values / (values - 1))
        mean = mean.lerp(self.source_mean, self.source_share)
        var = var.lerp(self.source_var, self.source_share)
        scale = (var + self.eps).rsqrt()
        if self.weight is not None:
            scale = scale * self.weight
        shift = -mean * scale if self.bias is None else self.bias - mean * scale
        shape = [1, -1] + [1] * (input.ndim - 2)
        return (input * scale.view(shape) + shift.view(shape)).to(input.dtype)

    @torch.no_grad()
    def _follow(self, mean: Tensor, var: Tensor) -> None:
        """``var`` with n - 1, as torch keeps it."""
        assert self.num_batches_tracked is not None
        assert self.running_mean is not None
        assert self.running_var is not None
        self.num_batches_tracked.add_(1)
        step = 1.0 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.target_mean.lerp_(mean, step)
        self.target_var.lerp_(var, step)
        self.running_mean.copy_(self.target_mean.lerp(self.source_mean, self.source_share))
        self.running_var.copy_(self.target_var.lerp(self.source_var, self.source_share))


def mix_stats(network: Network) -> Network:
    """Replace every batch norm of a network by a `MixedBatchNorm`, and return the network.

    Raises:
        ValueError: as `require_batch_norm`, if the network is itself a layer, or a layer keeps no running statistics.
    """
    mixed = {layer: MixedBatchNorm(layer) for layer in require_batch_norm(network)}
    if network in mixed:
        raise ValueError("Expected a network that holds batch norm, found a single layer; wrap it in nn.Sequential.")
    for parent in list(network.modules()):
        for name, child in parent.named_children():
            if child in mixed:
                setattr(parent, name, mixed[child])
    return network


class MixedStats:
    """All mixed layers of a network at once: one share of the source, one state to save.

    Args:
        network: went through `mix_stats`.

    Raises:
        ValueError: if it did not.
    """

    def __init__(self, network: nn.Module) -> None:
        self.layers = {name: part for name, part in network.named_modules() if isinstance(part, MixedBatchNorm)}
        if not self.layers:
            raise ValueError(f"Expected a network that went through mix_stats, found {type(network).__name__} as is.")

    @property
    def source_share(self) -> float:
        """Eta in [0, 1], equal in all layers."""
        return next(iter(self.layers.values())).source_share

    def set_source_share(self, share: float) -> None:
        """Raises ValueError: if ``share`` is outside [0, 1]."""
        if not 0 <= share <= 1:
            raise ValueError(f"Expected a share of the source between 0 and 1, found {share}.")
        for layer in self.layers.values():
            layer.source_share = share

    def state_dict(self) -> dict[str, Tensor]:
        """Averages over the target, which the network's own state dict leaves out to keep the source's names."""
        return {
            f"{name}.{key}": getattr(layer, key)
            for name, layer in self.layers.items()
            for key in ("target_mean", "target_var")
        }

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        for name, tensor in self.state_dict().items():
            tensor.copy_(state[name])
