"""Add up what two networks mark in the parts of one case, so that ten slices of a patient do not count as ten cases."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from monai_sfda.metrics import largest_component_share

__all__ = ["CaseChange", "CaseSums"]


class CaseChange(NamedTuple):
    """One structure of one image or volume, before and after adaptation."""

    case: str
    structure: str
    area_before: float
    """Share of the image, or of all that was compared of a volume, in [0, 1]."""
    area_after: float
    agreement: float
    """Dice of the two masks; nan where both are empty."""
    confidence_before: float
    """Soft Dice confidence in [0, 1]; nan where the prediction is empty."""
    confidence_after: float
    pieces_after: float
    """Share of the adapted mask in its largest piece; nan where it is empty. Of a volume in parts the mean over its
    parts, each weighted by what it holds of the mask."""


class CaseSums:
    """Sums over the pixels of a case, for each structure.

    Attributes:
        sums: (K, 8) float64: pixels; those of the mask before, after and in both; the sums of probabilities before and
            after, each over all pixels and over the mask.
        in_largest: (K,) pixels of the mask after adaptation that lie in the largest piece of their part.
    """

    def __init__(self) -> None:
        self.sums, self.in_largest = torch.zeros(()), torch.zeros(())

    def add(self, probs: Sequence[Tensor], masks: Sequence[Tensor]) -> None:
        """Count a part, before and after: probabilities and masks (K, *S)."""
        before, after = (mask.flatten(1) for mask in masks)
        columns = [torch.ones_like(before), before, after, before & after]
        for p, mask in zip(probs, (before, after), strict=True):
            columns += [p.flatten(1), p.flatten(1) * mask]
        self.sums = self.sums + torch.stack([column.sum(1, dtype=torch.float64) for column in columns], 1).cpu()
        share = largest_component_share(masks[1][None])[0].nan_to_num(0.0).double()
        self.in_largest = self.in_largest + share * after.sum(1).cpu()

    @property
    def agreement(self) -> Tensor:
        """(K,) Dice of the two masks; nan where both are empty."""
        _, before, after, both = self.sums[:, :4].unbind(1)
        return 2 * both / (before + after)

    def rows(self, case: str, structures: Mapping[str, int]) -> list[CaseChange]:
        """One row for each structure, in their order."""
        pixels, before, after, _, total_before, inside_before, total_after, inside_after = self.sums.unbind(1)
        columns = [
            before / pixels,
            after / pixels,
            self.agreement,
            _confidence(total_before, inside_before, before),
            _confidence(total_after, inside_after, after),
            self.in_largest / after,
        ]
        table = torch.stack(columns, 1).tolist()
        return [CaseChange(case, name, *values) for name, values in zip(structures, table, strict=True)]


def _confidence(total: Tensor, inside: Tensor, mask: Tensor) -> Tensor:
    """Soft Dice confidence from sums, see `monai_sfda.metrics.soft_dice_confidence`."""
    return (2 * inside / (total + mask)).masked_fill(mask == 0, math.nan)
