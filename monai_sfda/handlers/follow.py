"""Copies of the student that catch up with it between epochs."""

from __future__ import annotations

from collections.abc import Sequence

from ignite.engine import Engine, Events
from torch import nn

from monai_sfda.networks.moved import mark_moved

__all__ = ["FollowStudent"]


class FollowStudent:
    """At the start of a run and of every epoch, give copies of the student its weights and statistics.

    For observers that work on a copy, such as `MonteCarlo` and `GradientGuided`, behind labels that are asked anew
    every few epochs: without it they would say of the source what they said before. Attach it before those labels.

    Args:
        student: the network that adapts.
        copies: networks of the same layout.
    """

    def __init__(self, student: nn.Module, *, copies: Sequence[nn.Module]) -> None:
        self.student, self.copies = student, list(copies)
        for copy in self.copies:
            mark_moved(copy, by=self)

    def attach(self, engine: Engine) -> None:
        engine.add_event_handler(Events.STARTED, self.update)
        engine.add_event_handler(Events.EPOCH_STARTED, self.update)

    def update(self) -> None:
        """Copy now."""
        state = self.student.state_dict()
        for copy in self.copies:
            copy.load_state_dict(state)
