"""Several losses in one."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from monai_sfda.losses.means import Means
from monai_sfda.protocols import Criterion

__all__ = ["WeightedSum"]


class WeightedSum:
    """Sum of criteria, each times its weight; every criterion takes what it needs of the step.

    Remembers the value of each part, before its weight, for the history; what it remembers never changes the loss.

    Args:
        criteria: name -> criterion.
        weights: name -> factor; 1 where a name is missing. A part with factor 0 is still computed and remembered.

    Raises:
        ValueError: if there is no criterion, or a weight without one.
    """

    def __init__(self, criteria: Mapping[str, Criterion], *, weights: Mapping[str, float] | None = None) -> None:
        self.criteria, self.weights = dict(criteria), dict(weights or {})
        unknown = sorted(set(self.weights) - set(self.criteria))
        if not self.criteria or unknown:
            raise ValueError(
                f"Expected weights for {sorted(self.criteria)}, found {unknown or 'no criterion'}; use their names."
            )
        self._means = Means()

    def __call__(self, **step: object) -> Tensor:
        values = {name: criterion(**step) for name, criterion in self.criteria.items()}
        self._means.add(**values)
        return torch.stack([self.weights.get(name, 1.0) * value for name, value in values.items()]).sum()

    def take_mean(self, name: str) -> float:
        """Mean of a part over the steps since this was last asked; NaN where there was none."""
        return self._means.take(name)
