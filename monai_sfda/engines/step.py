"""What the steps of all engines share: move a batch, and minimise a loss with no update that is not finite."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from ignite.engine import Engine
from monai.engines.utils import IterationEvents
from torch import Tensor, nn
from torch.optim import Optimizer

from monai_sfda.engines.answers import check_loss
from monai_sfda.engines.finite import check_finite

__all__ = ["minimise", "to_device"]


def to_device(maps: Tensor, device: torch.device | str) -> Tensor:
    """(B, C, *S) on the device, pictures in the memory layout in which networks are fast."""
    layout = torch.channels_last if maps.ndim == 4 else torch.contiguous_format
    return maps.to(device, non_blocking=True, memory_format=layout)


def minimise(
    engine: Engine, loss: Tensor, *, network: nn.Module, optimizer: Optimizer, step: Mapping[str, Any]
) -> float:
    """Zero, backward, step, with the events of MONAI's trainers; returns the loss as a number.

    Args:
        engine: fires the events, and its state names epoch and iteration in messages.
        loss: of the step.
        network: what the optimizer moves.
        optimizer: of the network.
        step: what the loss was made of, see `check_finite`.

    Raises:
        ValueError: if the loss is not one number with a gradient.
        FloatingPointError: before the update, if loss or gradients are not finite.
    """
    check_loss(loss)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    engine.fire_event(IterationEvents.BACKWARD_COMPLETED)
    value = check_finite(loss, step, network, engine.state)
    optimizer.step()
    engine.fire_event(IterationEvents.MODEL_COMPLETED)
    return value
