"""A teacher that follows the student."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy

import torch
from ignite.engine import Engine, Events
from torch import Tensor, nn

from monai_sfda.networks.moved import mark_moved

__all__ = ["MeanTeacher"]


class MeanTeacher:
    r"""Average of a network over its steps, :math:`\theta' \leftarrow \alpha\theta' + (1-\alpha)\theta` after each.

    Starts as a copy of the student. As in the released CBMT code (Tang et al., MICCAI 2023) only parameters are
    averaged; the statistics of normalisation layers are the teacher's own, moved by its own forwards in train mode, and
    its dropout is active while it labels. Other choices are other methods, so they are named:

    Args:
        student: network to follow.
        decay: :math:`\alpha` in [0, 1]; 1 keeps the source, 0 copies the student. (Ignite's ``momentum`` is 1 - decay.)
        mode: how the teacher runs; ``monai_sfda.networks.track_stats`` (released),
            ``track_stats_without_dropout``, ``frozen_stats`` or ``eval_mode``.
        average_buffers: also average floating-point buffers such as running statistics.

    Attributes:
        network: the teacher. None of its parameters requires a gradient.
    """

    def __init__(
        self,
        student: nn.Module,
        *,
        decay: float = 0.98,
        mode: Callable[[nn.Module], object] = nn.Module.train,
        average_buffers: bool = False,
    ) -> None:
        if not 0 <= decay <= 1:
            raise ValueError(f"Expected a decay between 0 (copy the student) and 1 (keep the source), found {decay}.")
        self.student, self.decay, self.mode, self.average_buffers = student, decay, mode, average_buffers
        self.network = deepcopy(student).requires_grad_(False)
        mark_moved(self.network, by=self)

    def attach(self, engine: Engine) -> None:
        engine.add_event_handler(Events.EPOCH_STARTED, self.prepare)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self.update)

    def prepare(self) -> None:
        """Put the teacher into its labelling mode (an evaluation may have changed it)."""
        self.mode(self.network)

    @torch.no_grad()
    def update(self) -> None:
        """Move the teacher one step towards the student."""
        pairs: list[tuple[Tensor, Tensor]] = list(
            zip(self.network.parameters(), self.student.parameters(), strict=True)
        )
        if self.average_buffers:
            buffers = zip(self.network.buffers(), self.student.buffers(), strict=True)
            pairs += [(mine, its) for mine, its in buffers if mine.is_floating_point()]
        torch._foreach_lerp_([mine for mine, _ in pairs], [its for _, its in pairs], 1 - self.decay)
