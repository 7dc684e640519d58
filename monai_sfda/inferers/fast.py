"""Plain inference in the arithmetic that the machine does fast."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from monai.inferers import Inferer
from torch import Tensor

from monai_sfda.precision import autocast

__all__ = ["FastInferer"]


class FastInferer(Inferer):
    """Call the network under autocast on a channels-last input, and return float32 logits.

    Usable wherever MONAI takes an inferer, in training too: MONAI's own ``amp`` reaches CUDA only.

    Args:
        precision: ``"auto"`` (probe this machine), ``"bfloat16"`` or ``"float32"``.
    """

    def __init__(self, precision: str = "auto") -> None:
        super().__init__()
        self.precision = precision

    def __call__(self, inputs: Tensor, network: Callable[..., Tensor], *args: Any, **kwargs: Any) -> Tensor:
        if inputs.ndim == 4:
            inputs = inputs.contiguous(memory_format=torch.channels_last)
        with autocast(inputs.device, self.precision):
            return network(inputs, *args, **kwargs).float()
