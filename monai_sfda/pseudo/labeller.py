"""Observe, then refine."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from monai_sfda.protocols import Evidence, Observer, PseudoLabel, Refiner, takes

__all__ = ["PseudoLabeller"]


class PseudoLabeller:
    """Pseudo-label of a batch: the observed probabilities with weight 1, passed through refiners in order.

    Args:
        observe: says what some network thinks of the batch.
        refiners: for example a threshold, then weights. Without any, the labels are soft probabilities.

    Raises:
        ValueError: if ``observe`` does not take images and cases, or a refiner a pseudo-label and its evidence.
    """

    def __init__(self, observe: Observer, *, refiners: Sequence[Refiner] = ()) -> None:
        if not takes(observe, 2):
            raise ValueError(
                f"Expected an observer, which takes images and their cases, found {type(observe).__name__}; wrap a "
                "network in Observe(network), of a teacher Observe(teacher.network)."
            )
        for refine in refiners:
            if not takes(refine, 2):
                raise ValueError(
                    f"Expected refiners, which take a pseudo-label and its evidence, found {type(refine).__name__}; "
                    "use one such as Threshold()."
                )
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
