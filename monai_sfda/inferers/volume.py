"""Segment whole volumes by a network that sees slices or windows of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from monai.inferers import Inferer, SlidingWindowInferer
from monai.utils import convert_to_tensor
from torch import Tensor
from torch.nn.functional import pad

__all__ = ["VolumeInferer", "refuse_slices"]

DIVISOR = 32  # of the sides of a slice: a product of the strides that are in use
OVERLAP = 0.25  # of neighbouring windows
BLACK = -1.0


class VolumeInferer(Inferer):
    """Ask a network about a volume piece by piece, so that its activations take the memory of a batch of pieces.

    A network of slices sees them whole, whatever their size: black is added below and on the right until its strides
    divide them. A network of windows sees windows that overlap by a quarter, and whose logits are averaged with a
    Gaussian weight (MONAI's `SlidingWindowInferer`).

    Args:
        inferer: asks the network about one batch of slices (n, C, H, W) or windows (n, C, D, H, W), such as a
            `FastInferer`.
        image_size: two numbers for a network of slices; slices, rows and columns of a window for one of windows.
        batch_size: slices or windows in a batch.

    Raises:
        ValueError: if ``batch_size`` is below 1.

    Shape:
        volumes (B, C, D, H, W) -> logits (B, K, D, H, W), float32.
    """

    def __init__(self, inferer: Inferer, *, image_size: Sequence[int], batch_size: int = 16) -> None:
        super().__init__()
        if batch_size < 1:
            raise ValueError(f"Expected a batch_size of at least 1, found {batch_size}.")
        self.inferer, self.image_size, self.batch_size = inferer, tuple(image_size), batch_size

    def __call__(self, inputs: Tensor, network: Callable[..., Tensor], *args: Any, **kwargs: Any) -> Tensor:
        volumes: Tensor = convert_to_tensor(inputs, track_meta=False)

        def ask(batch: Tensor) -> Tensor:
            return self.inferer(batch, network, *args, **kwargs)

        if len(self.image_size) == 2:
            return torch.stack([self._slices(volume, ask) for volume in volumes])
        windows = SlidingWindowInferer(
            self.image_size, self.batch_size, OVERLAP, mode="gaussian", padding_mode="constant", cval=BLACK
        )
        logits: Any = windows(volumes, ask)
        return logits

    def _slices(self, volume: Tensor, ask: Callable[[Tensor], Tensor]) -> Tensor:
        """(C, D, H, W) -> (K, D, H, W)."""
        slices = volume.transpose(0, 1)
        rows, columns = slices.shape[2:]
        padding = (0, -columns % DIVISOR, 0, -rows % DIVISOR)
        batches = -(-len(slices) // self.batch_size)  # of equal size: one slice alone has poor statistics
        logits = [
            ask(pad(batch, padding, value=BLACK))[..., :rows, :columns].transpose(0, 1)
            for batch in slices.tensor_split(batches)
        ]
        return torch.cat(logits, dim=1)


def refuse_slices(image_size: Sequence[int]) -> None:
    """Refuse a `monai_sfda.inferers.DenoisingInferer` for a network of slices.

    Raises:
        ValueError: if ``image_size`` has two numbers.
    """
    if len(image_size) == 2:
        raise ValueError(
            "Expected a network of windows for inference_dae.json, found one of slices, which are segmented whole, "
            "while a denoiser knows those of image_size only; adapt the network with --method dae instead."
        )
