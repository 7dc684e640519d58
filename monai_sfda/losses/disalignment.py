"""Grad-CL's disalignment loss: push the features of two structures apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from monai_sfda.protocols import PseudoLabel

__all__ = ["CosineDisalignment"]

FORMS = ("max", "shifted", "contrastive")


class CosineDisalignment(nn.Module):
    r"""Disalignment loss of Grad-CL (reconstruction): cosine of the gradient-weighted mean features of two structures.

    .. math:: g_k = \mathrm{mean}_{n \in R_k} \mathrm{ReLU}(a_{kc} F_{cn}), \quad L = \max(0, \cos(g_i, g_j))

    averaged over images and pairs; :math:`R_k` are the pixels of structure k that count, without those of structures
    nested in it (the rim is the disc less the cup): identical pixels on both sides would fight the labels. The weights
    a carry no gradient, for otherwise the cosine falls by scaling channels. A structure that is empty in an image, or
    has no weighted feature left, gives 0.

    After the ReLU the cosine is in [0, 1], 0 meaning disjoint channels. The form ``"shifted"`` is (1 + cos) / 2;
    ``"contrastive"`` compares the cosine with the own structure's mean over the batch to that with the other's,
    :math:`-\log \mathrm{softmax}(\cos / t)`; these means carry no gradient.

    Args:
        weighting: (features, score) -> a (B, K, D), such as `monai_sfda.pseudo.GradCam`, with the class scores of the
            student's own logits, summed over the labelled pixels that count; None: plain features, a = 1. Batch
            statistics somewhere after the features leave little of a mean gradient; directly after them the gradient
            is zero, which raises an error: let the student run with frozen_stats.
        nested: pairs of channels (outer, inner); for exclusive classes there are none.
        form: ``"max"``, ``"shifted"`` or ``"contrastive"``.
        temperature: t of the contrastive form, > 0.

    Shape:
        pred (B, K, *S) logits computed from features (B, D, *s); pseudo.label, pseudo.weight (B, K, *S); result ().
    """

    def __init__(
        self,
        *,
        weighting: Callable[[Tensor, Tensor], Tensor] | None,
        nested: Sequence[tuple[int, int]] = (),
        form: str = "max",
        temperature: float = 0.1,
    ) -> None:
        super().__init__()
        if form not in FORMS:
            raise ValueError(f"Expected form to be one of {', '.join(FORMS)}, found {form!r}.")
        if not temperature > 0:
            raise ValueError(f"Expected a temperature > 0, found {temperature}; 0.1 by default.")
        self.weighting, self.nested, self.form = weighting, [tuple(pair) for pair in nested], form
        self.temperature = temperature

    def forward(self, *, pred: Tensor, features: Tensor, pseudo: PseudoLabel, **_: object) -> Tensor:
        """Raises ValueError: for fewer than two channels, or a pair of ``nested`` that there is not."""
        if pred.shape[1] < 2:
            raise ValueError(f"Expected at least 2 channels to compare, found {pred.shape[1]}; leave the loss out.")
        if any(not 0 <= channel < pred.shape[1] for pair in self.nested for channel in pair):
            raise ValueError(f"Expected nested channels below {pred.shape[1]}, found {self.nested}; choose others.")
        counts = pseudo.weight > 0
        named = (pseudo.label > 0.5) & counts
        means = self._pool(features, self._weights(pred, features, named), self._regions(named, counts))
        present = means.detach().flatten(2).norm(dim=2) > 0
        unit = F.normalize(means, dim=2)
        centres = F.normalize((unit.detach() * present[:, :, None]).sum(0), dim=1)
        losses = []
        for i, j in combinations(range(pred.shape[1]), 2):
            loss = self._compare(unit[:, i], unit[:, j], centres[i], centres[j])
            losses.append(torch.where(present[:, i] & present[:, j], loss, 0.0))
        return torch.stack(losses).mean()

    def _weights(self, pred: Tensor, features: Tensor, named: Tensor) -> Tensor:
        if self.weighting is None:
            return features.new_ones(*pred.shape[:2], features.shape[1], dtype=torch.float32)
        score = (pred.float() * named).flatten(2).sum(2)
        return self.weighting(features, score).detach()

    def _regions(self, named: Tensor, counts: Tensor) -> Tensor:
        """(B, K, *S) boolean: what is known to be of a structure and of none nested in it."""
        regions = named.clone()
        for outer, inner in self.nested:
            regions[:, outer] &= counts[:, inner] & ~named[:, inner]
        return regions

    def _pool(self, features: Tensor, weights: Tensor, regions: Tensor) -> Tensor:
        """(B, K, D) mean weighted features; a coarse position counts by the share of its pixels in the region."""
        share = F.interpolate(regions.float(), size=features.shape[2:], mode="area").flatten(2)
        share = share / share.sum(2, keepdim=True).clamp_min(1e-6)

        def mean(maps: Tensor) -> Tensor:
            return torch.einsum("bdn,bkn->bkd", maps, share)

        maps = features.float().flatten(2)
        # ReLU(a F) = ReLU(a) ReLU(F) + ReLU(-a) ReLU(-F), without a map for each pair of class and channel
        return weights.relu() * mean(maps.relu()) + (-weights).relu() * mean((-maps).relu())

    def _compare(self, one: Tensor, other: Tensor, centre: Tensor, other_centre: Tensor) -> Tensor:
        """(B,) loss of one pair from unit vectors (B, D) and (D,)."""
        cosine = (one * other).sum(1)
        if self.form == "max":
            return cosine.clamp_min(0)
        if self.form == "shifted":
            return (1 + cosine) / 2
        away = centre - other_centre
        return (F.softplus(-(one @ away) / self.temperature) + F.softplus(other @ away / self.temperature)) / 2
