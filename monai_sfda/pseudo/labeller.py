"""Observe, then refine."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from monai_sfda.protocols import Evidence, Observer, PseudoLabel, Refiner

__all__ = ["PseudoLabeller"]


class PseudoLabeller:
    """Pseudo-label of a batch: the observed probabilities with weight 1, passed through refiners in order.

    Args:
        observe: says what some network thinks of the batch.
        refiners: for example a threshold, then weights. Without any, the labels are soft probabilities.
    """

    def __init__(self, observe: Observer, *, refiners: Sequence[Refiner] = ()) -> None:
        self.observe, self.refiners = observe, tuple(refiners)

    @torch.no_grad()
    def __call__(self, image: Tensor, case: Sequence[str]) -> PseudoLabel:
        return self.refine(self.observe(image, case))

    def refine(self, evidence: Evidence) -> PseudoLabel:
        """Pseudo-label of a batch that was observed."""
        pseudo = PseudoLabel(evidence.probs, torch.ones_like(evidence.probs))
        for refine in self.refiners:
            pseudo = refine(pseudo, evidence)
        return pseudo
