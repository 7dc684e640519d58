"""What the steps of all engines share: move a batch, and minimise a loss with no update that is not finite."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from ignite.engine import State
from monai.engines.utils import IterationEvents
from torch import Tensor, nn
from torch.optim import Optimizer

from monai_sfda.engines.answers import check_loss
from monai_sfda.engines.finite import check_finite
from monai_sfda.precision import channels_last

__all__ = ["minimise", "to_device"]


def to_device(maps: Tensor, device: torch.device | str) -> Tensor:
    """(B, C, *S) on the device, in the memory layout in which networks are fast."""
    return channels_last(maps.to(device, non_blocking=True))


def minimise(
    loss: Tensor,
    *,
    network: nn.Module,
    optimizer: Optimizer,
    step: Mapping[str, Any],
    state: State,
    fire: Callable[[IterationEvents], object] = lambda event: None,
) -> float:
    """Zero, backward, step; returns the loss as a number.

    Args:
        loss: of the step.
        network: what the optimizer moves.
        optimizer: of the network.
        step: what the loss was made of, see `check_finite`.
        state: of the engine, whose epoch and iteration messages name.
        fire: told of BACKWARD_COMPLETED and MODEL_COMPLETED, as MONAI's trainers fire them.

    Raises:
        ValueError: if the loss is not one number with a gradient.
        FloatingPointError: before the update, if loss or gradients are not finite.
    """
    check_loss(loss)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    fire(IterationEvents.BACKWARD_COMPLETED)
    value = check_finite(loss, step, network, state)
    optimizer.step()
    fire(IterationEvents.MODEL_COMPLETED)
    return value
