"""Ask a network about a batch."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from monai_sfda.functional import check_head, probabilities
from monai_sfda.protocols import Evidence

__all__ = ["Observe"]


class Observe:
    """One forward of a network, in whatever mode the network is, without gradient.

    Args:
        network: (B, C, *S) -> logits (B, K, *S). The student itself, its teacher or a frozen source network.
        head: ``"sigmoid"`` or ``"softmax"``.

    Raises:
        ValueError: if ``network`` cannot be called, or ``head`` is unknown.
    """

    def __init__(self, network: nn.Module, *, head: str = "sigmoid") -> None:
        if not callable(network):
            found = type(network).__name__
            raise ValueError(f"Expected a network to observe, found {found}; give its network, as in teacher.network.")
        self.network, self.head = network, check_head(head)

    @torch.no_grad()
    def __call__(self, image: Tensor, case: Sequence[str]) -> Evidence:
        return Evidence(case, probabilities(self.network(image), self.head))
