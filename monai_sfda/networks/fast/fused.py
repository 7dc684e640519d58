"""Fuse layers for prediction: the same function in fewer passes over memory."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from copy import deepcopy
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

from monai_sfda.networks.fast.atrous import AtrousConv2d
from monai_sfda.networks.fast.depthwise import DepthwiseConv2d
from monai_sfda.networks.fast.dropout import LaneDropout
from monai_sfda.networks.fast.upsampled import Fusion
from monai_sfda.networks.fast.winograd import WinogradConv2d, conv3x3, tiles_pay
from monai_sfda.precision import autocast, onednn_convolves

__all__ = ["FusedConv2d", "fuse_for_inference"]

# These and no class derived from them, which may do something else.
CONVOLUTIONS = (nn.Conv2d, AtrousConv2d, DepthwiseConv2d, WinogradConv2d)
NORMS = (nn.BatchNorm2d, nn.SyncBatchNorm)
IDLE = (nn.Identity, nn.Dropout, nn.Dropout2d, LaneDropout)  # in evaluation mode

TOLERANCE = 1e-3  # of a channel's largest logit: bfloat16 rounds each value by up to four times as much

logger = logging.getLogger(__name__)


def fuse_for_inference(network: nn.Module, *, image: Tensor, precision: str = "float32") -> nn.Module:
    """A copy of the network in evaluation mode that gives the same logits, up to rounding, in less time.

    In evaluation mode batch norm is a scale and an offset of each channel, which the weights of the convolution before
    it can hold, and the activation behind both can be part of that convolution (`FusedConv2d`). Layers are fused where
    one follows the other in a ``Sequential`` (or in the `Fusion` of this package's decoders). The copy is tried on
    pictures: if it fails or differs on one, because the network uses its layers in another way, the network itself is
    returned; so it is on a GPU. The copy gives no gradients, and does not follow when the network learns or is given
    other weights.

    Args:
        network: (B, C, H, W) -> logits (B, K, H, W), in evaluation mode; it is not changed.
        image: (B, C, H, W) in [-1, 1], to try it on, beside a black one, a white one and one of noise, of half the
            size where it is large.
        precision: in which it will compute, see `monai_sfda.precision.autocast`.
    """
    tensors = [*network.parameters(), image]
    if network.training or any(tensor.device.type != "cpu" for tensor in tensors):
        return network
    try:
        fused = _fuse(deepcopy(network).requires_grad_(False))
        if _alike(network, fused, image, precision):
            return fused
        reason = "it gives other logits when fused"
    except Exception as error:  # of any kind: a network that cannot be copied or run has its own message elsewhere
        reason = str(error).strip().split("\n")[0]
    logger.info(f"{type(network).__name__} predicts layer by layer: {reason}.")
    return network


class FusedConv2d(nn.Module):
    """A convolution and the activation behind it as one call of oneDNN, for a CPU and without gradients.

    Alone, an activation reads and writes the whole map once more, which takes as long as many a convolution does; and
    the weights are brought into oneDNN's order once, not in each call. The operators are those that ``torch.compile``
    uses on a CPU; it would need a C++ compiler where the network runs. In a dtype for which oneDNN finds no
    instructions on this processor, such as bfloat16 with AVX2 alone, PyTorch's own layers run one after the other.
    A value that is not a number may become 0.

    Args:
        conv: a convolution that surrounds its input with zeros.
        activation: one of which `activation_of` knows the name, or None.

    Shape:
        as ``conv``; in the dtype of CPU autocast where that is on, else in that of the input.
    """

    def __init__(self, conv: nn.Conv2d, activation: nn.Module | None = None) -> None:
        super().__init__()
        self.weight, self.bias = conv.weight, conv.bias
        self.tiled = isinstance(conv, WinogradConv2d)
        self.geometry = (conv.padding, conv.stride, conv.dilation, conv.groups)
        self.activation = activation_of(activation) or ("none", [])
        self.packed: dict[torch.dtype, tuple[Tensor, Tensor | None]] = {}

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"packed": {}}  # what oneDNN has in its own order cannot be copied

    def forward(self, x: Tensor) -> Tensor:
        if x.requires_grad and torch.is_grad_enabled():
            raise RuntimeError("Expected an input without gradient, found one with; use the network that was fused.")
        dtype = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else x.dtype
        name, numbers = self.activation
        if self.tiled and tiles_pay(x, self.weight):
            out = conv3x3(x, self.weight, self.bias)
            return out if name == "none" else getattr(F, name)(out, *numbers, inplace=True)
        if dtype not in self.packed:
            self.packed[dtype] = self._pack(dtype)
        weight, bias = self.packed[dtype]
        if onednn_convolves(dtype):
            return torch.ops.mkldnn._convolution_pointwise(x.to(dtype), weight, bias, *self.geometry, name, numbers, "")
        padding, stride, dilation, groups = self.geometry
        out = F.conv2d(x.to(dtype), weight, bias, stride, padding, dilation, groups)
        return out if name == "none" else getattr(F, name)(out, *numbers)

    def _pack(self, dtype: torch.dtype) -> tuple[Tensor, Tensor | None]:
        weight, bias = self.weight.to(dtype), None if self.bias is None else self.bias.to(dtype)
        if onednn_convolves(dtype):
            weight = torch.ops.mkldnn._reorder_convolution_weight(weight, *self.geometry)
        return weight, bias


def activation_of(module: nn.Module | None) -> tuple[str, list[float]] | None:
    """Name and numbers by which oneDNN and `torch.nn.functional` know an activation, or None."""
    if type(module) is nn.ReLU:
        return "relu", []
    if type(module) is nn.ReLU6:
        return "hardtanh", [0.0, 6.0]
    if type(module) is nn.LeakyReLU:
        return "leaky_relu", [module.negative_slope]
    if type(module) is nn.PReLU and module.num_parameters == 1:
        return "leaky_relu", [module.weight.item()]
    return None


def _fuse(network: nn.Module) -> nn.Module:
    """Change a network in place."""
    conv: Any
    norm: Any
    for (owner, name), (next_owner, next_name) in _neighbours(network):
        conv, norm = owner._modules[name], next_owner._modules[next_name]
        if type(conv) in CONVOLUTIONS and type(norm) in NORMS and norm.running_mean is not None:
            owner._modules[name] = fuse_conv_bn_eval(conv, norm)
            next_owner._modules[next_name] = nn.Identity()
    if not onednn_convolves(torch.float32):
        return network
    for (owner, name), (next_owner, next_name) in _neighbours(network):
        conv, activation = owner._modules[name], next_owner._modules[next_name]
        joins = type(owner) is Fusion and conv is next(iter(owner))  # a `Fusion` only takes its weights
        if _is_fusable(conv) and not joins and activation_of(activation):
            owner._modules[name] = FusedConv2d(conv, activation)
            next_owner._modules[next_name] = nn.Identity()
    for owner in [*network.modules()]:
        for name, conv in owner.named_children():
            if _is_fusable(conv):
                owner._modules[name] = FusedConv2d(conv)
    return network


def _neighbours(network: nn.Module) -> list[tuple[tuple[nn.Module, str], tuple[nn.Module, str]]]:
    """Owner and name of every two modules that are applied one after the other."""
    return [pair for module in network.modules() if _is_sequence(module) for pair in pairwise(_steps(module))]


def _steps(sequence: nn.Module) -> Iterator[tuple[nn.Module, str]]:
    for name, child in sequence.named_children():
        if _is_sequence(child):
            yield from _steps(child)
        elif type(child) not in IDLE:
            yield sequence, name


def _is_fusable(module: Any) -> bool:
    return type(module) in CONVOLUTIONS and module.padding_mode == "zeros" and not isinstance(module.padding, str)


def _is_sequence(module: nn.Module) -> bool:
    return isinstance(module, nn.Sequential) and type(module).forward in (nn.Sequential.forward, Fusion.forward)


@torch.no_grad()
def _alike(network: nn.Module, fused: nn.Module, image: Tensor, precision: str) -> bool:
    part = _corner(image)
    noise = torch.rand(part.shape, generator=torch.Generator().manual_seed(0)) * 2 - 1
    for picture in (image, noise, torch.full_like(part, -1), torch.full_like(part, 1)):
        exact, found = network(picture), fused(picture)
        size, error = (tensor.abs().amax((0, 2, 3)) for tensor in (exact, exact - found))
        if not (error <= TOLERANCE * size).all():  # nor where one of them is not a number
            return False
    with autocast("cpu", precision):
        fused(part)
    return True


def _corner(image: Tensor) -> Tensor:
    """A quarter of a large image, which takes a quarter of the time; its sides stay multiples of 32."""
    height, width = image.shape[2:]
    halves = height % 64 == 0 and width % 64 == 0 and min(height, width) > 128
    return image[:, :, : height // 2, : width // 2].contiguous() if halves else image
