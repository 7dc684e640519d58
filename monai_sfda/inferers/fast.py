"""Plain inference in the arithmetic that is fast on this machine."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch
from monai.inferers import Inferer
from torch import Tensor, nn

from monai_sfda.networks.fast.fused import fuse_for_inference
from monai_sfda.precision import autocast, channels_last

__all__ = ["FastInferer"]


class FastInferer(Inferer):
    """Call the network under autocast on a channels-last input, and return float32 logits.

    Usable wherever MONAI takes an inferer, in training too: MONAI's own ``amp`` reaches CUDA only.

    Args:
        precision: ``"auto"`` (probe this machine), ``"bfloat16"`` or ``"float32"``.
        split_batch: on a CPU and without gradients, cut a batch into as many parts as there are threads, each computed
            by itself from the first layer to the last. Otherwise all threads share each layer, and whatever runs beside
            the network delays one of them and the others with it. Not for networks that compute over their batch.
        fused: on a CPU and without gradients, compute with a copy that takes less time, see
            `monai_sfda.networks.fast.fuse_for_inference`; it is made anew when the network has other weights.
    """

    def __init__(self, precision: str = "auto", *, split_batch: bool = False, fused: bool = False) -> None:
        super().__init__()
        self.precision, self.split_batch, self.fused = precision, split_batch, fused
        self._copy: tuple[nn.Module, object, nn.Module] | None = None

    def __call__(self, inputs: Tensor, network: Callable[..., Tensor], *args: Any, **kwargs: Any) -> Tensor:
        if inputs.device.type != "cpu" or torch.is_grad_enabled():
            return self._forward(inputs, network, *args, **kwargs)
        if self.fused and isinstance(network, nn.Module):
            network = self._fused(network, inputs)
        threads = torch.get_num_threads()
        parts = min(threads, len(inputs))
        if not self.split_batch or parts < 2:
            return self._forward(inputs, network, *args, **kwargs)

        @torch.no_grad()  # each thread has a mode of its own
        def part(images: Tensor) -> Tensor:
            return self._forward(images, network, *args, **kwargs)

        with ThreadPoolExecutor(parts, initializer=torch.set_num_threads, initargs=(threads // parts,)) as pool:
            logits = list(pool.map(part, inputs.chunk(parts)))
            return pool.submit(torch.cat, logits).result()  # there, so PyTorch's threads do not compete with these

    def _fused(self, network: nn.Module, inputs: Tensor) -> nn.Module:
        state = _state(network)
        if self._copy is None or self._copy[0] is not network or self._copy[1] != state:
            self._copy = network, state, fuse_for_inference(network, image=inputs[:1], precision=self.precision)
        return self._copy[2]

    def _forward(self, inputs: Tensor, network: Callable[..., Tensor], *args: Any, **kwargs: Any) -> Tensor:
        inputs = channels_last(inputs)
        with autocast(inputs.device, self.precision):
            return network(inputs, *args, **kwargs).float()


def _state(network: nn.Module) -> object:
    """Differs once a weight, a statistic or the mode has changed."""
    tensors = [*network.parameters(), *network.buffers()]
    versions = [(t.data_ptr(), 0 if t.is_inference() else t._version) for t in tensors]
    return network.training, versions
