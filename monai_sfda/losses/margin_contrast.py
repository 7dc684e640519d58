"""The margin-preserving contrastive loss of MPSCL, on the source with labels and on the target with self-pacing."""

from __future__ import annotations

import logging
import math
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from monai_sfda.losses.means import Means

__all__ = ["PrototypeContrast", "SelfPacedContrast", "margin_contrast", "self_paced"]

logger = logging.getLogger(__name__)

FORMS = ("intended", "released")


def margin_contrast(
    cosine: Tensor, label: Tensor, *, margin: float = 0.0, temperature: float = 1.0, form: str = "intended"
) -> Tensor:
    r"""Cross-entropy over the cosines to K prototypes, with a margin on the angle to that of the label.

    .. math:: -\log \frac{e^{l_y}}{e^{l_y} + \sum_{k \ne y} e^{l_k}}, \quad
              l_y = \cos(\theta_y + \mu) / \tau, \quad l_k = \cos(\theta_k) / \tau

    Beyond :math:`\pi - \mu`, where the cosine would rise again, :math:`\cos\theta_y - \mu\sin(\pi - \mu)` is used.

    Args:
        cosine: (B, K, *s) in [-1, 1].
        label: (B, *s) whole numbers below K.
        margin: :math:`\mu` in radians, in [0, pi).
        temperature: :math:`\tau` > 0.
        form: ``"intended"``, as the formula says; ``"released"``, as the code of Liu et al. (JBHI 2022) computes it:
            it takes the largest logit off the cosines and off the margin logits separately, and mixes the two. Where
            the prototype of the label is the nearest one, as it always is on the target, the margin then cancels, and
            only scales the gradient.

    Returns:
        (B, *s).
    """
    true = torch.zeros_like(cosine, dtype=torch.bool).scatter_(1, label.unsqueeze(1), True)
    sine = (1 - cosine.square()).clamp(1e-4, 1).sqrt()  # bounds the gradient where the cosine is 1
    shifted = cosine * math.cos(margin) - sine * math.sin(margin)
    shifted = torch.where(cosine > math.cos(math.pi - margin), shifted, cosine - math.sin(math.pi - margin) * margin)
    plain, shifted = cosine / temperature, shifted / temperature
    if form == "released":
        plain, shifted = (logits - logits.detach().amax(1, keepdim=True) for logits in (plain, shifted))
        mixed = torch.where(true, shifted, plain)
        log_total = (mixed.exp().sum(1) + 1e-4).log()
    else:
        mixed = torch.where(true, shifted, plain)
        log_total = mixed.logsumexp(1)
    return log_total - mixed.gather(1, label.unsqueeze(1)).squeeze(1)


def self_paced(cosine: Tensor, gap: float) -> tuple[Tensor, Tensor, Tensor]:
    """Label positions by their nearest prototype, and select those whose second one is clearly farther.

    Args:
        cosine: (B, K, *s), K >= 2.
        gap: selected is where the largest cosine exceeds the second by more than this.

    Returns:
        Label (B, *s), selected (B, *s) boolean, and the gap of the cosines (B, *s).
    """
    (nearest, second), labels = (part.unbind(1) for part in cosine.topk(2, 1))
    return labels[0], nearest - second > gap, nearest - second


class _Bank(Protocol):
    def cosine(self, features: Tensor) -> Tensor: ...

    def classes(self, label: Tensor, size: Any) -> Tensor: ...


class PrototypeContrast(nn.Module):
    """`margin_contrast` of labelled source features to prototypes, mean over all positions, times tau / base.

    Args:
        bank: gives the cosines to its prototypes, and the class of each position, see `PrototypeBank`.
        margin, temperature, form: see `margin_contrast`.
        base_temperature: the loss is multiplied by ``temperature / base_temperature``.

    Shape:
        features (B, D, *s), label (B, K, *S); result ().

    Raises:
        ValueError: if a number or the form makes no sense.
    """

    def __init__(
        self,
        bank: _Bank,
        *,
        margin: float = 0.4,
        temperature: float = 1.0,
        base_temperature: float = 1.0,
        form: str = "intended",
    ) -> None:
        super().__init__()
        if not 0 <= margin < math.pi or not temperature > 0 or not base_temperature > 0:
            raise ValueError(
                f"Expected a margin in [0, pi) and temperatures above 0, found margin {margin}, temperature "
                f"{temperature} and base_temperature {base_temperature}; published are margins of 0.2 and 0.4."
            )
        if form not in FORMS:
            raise ValueError(f"Expected the form to be one of {', '.join(FORMS)}, found {form!r}; name one of them.")
        self.bank, self.margin, self.temperature, self.form = bank, margin, temperature, form
        self.base_temperature = base_temperature
        self.means = Means()

    def forward(self, *, features: Tensor, label: Tensor, **_: object) -> Tensor:
        cosine = self.bank.cosine(features)
        self.means.add(gap=self_paced(cosine.detach(), 0.0)[2].mean())
        return self._contrast(cosine, self.bank.classes(label, cosine.shape[2:])).mean()

    def take_mean(self, name: str) -> float:
        """Mean since it was last asked: ``gap``, between the largest and the second cosine of a position."""
        return self.means.take(name)

    def _contrast(self, cosine: Tensor, label: Tensor) -> Tensor:
        loss = margin_contrast(cosine, label, margin=self.margin, temperature=self.temperature, form=self.form)
        return loss * (self.temperature / self.base_temperature)


class SelfPacedContrast(PrototypeContrast):
    """`margin_contrast` of target features, labelled by the nearest prototype, over the positions that are clear.

    A position counts if its largest cosine exceeds the second by more than ``gap``, strictly. The sum is divided by
    their number + 1e-4, so that the loss is 0 where there is none. No gradient reaches labels or prototypes.

    Args:
        gap: the published self-pacing, 0.25; -1 takes all positions, 2 none.
        bank, margin, temperature, base_temperature, form: as of `PrototypeContrast`.

    Shape:
        features (B, D, *s); result ().
    """

    def __init__(self, bank: _Bank, *, gap: float = 0.25, margin: float = 0.2, **contrast: Any) -> None:
        super().__init__(bank, margin=margin, **contrast)
        self.gap = gap

    def forward(self, *, features: Tensor, **_: object) -> Tensor:
        cosine = self.bank.cosine(features)
        label, selected, gaps = self_paced(cosine.detach(), self.gap)
        counts = selected.to(cosine.dtype)
        self.means.add(selected=counts.mean(), gap=gaps.mean())
        return (counts * self._contrast(cosine, label)).sum() / (counts.sum() + 1e-4)

    def take_mean(self, name: str) -> float:
        """Mean since it was last asked: ``gap``, and ``selected``, the share of positions that count; warns of none."""
        found = self.means.take(name)
        if name == "selected" and found == 0:
            logger.warning(
                "Expected positions of the target whose nearest prototype is nearer by a cosine of %g, found none: "
                "nothing is learnt from them. Give a smaller gap (--gap).",
                self.gap,
            )
        return found
