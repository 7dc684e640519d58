"""Keep the labels that the features agree with."""

from __future__ import annotations

import logging

import torch
from torch import Tensor
from torch.nn import functional as F

from monai_sfda.functional import scaled
from monai_sfda.protocols import Evidence, PseudoLabel

__all__ = ["PrototypeAgreement", "prototype_label", "prototypes"]

logger = logging.getLogger(__name__)


def prototypes(features: Tensor, label: Tensor, probs: Tensor, certain: Tensor) -> tuple[Tensor, Tensor]:
    r"""Mean features of the object and of the background of each channel, weighted by probability.

    .. math:: z^{obj} = \frac{\sum e\,y\,m\,p}{\sum y\,m\,p}, \quad
              z^{bck} = \frac{\sum e\,(1-y)\,m\,(1-p)}{\sum (1-y)\,m\,(1-p)}

    over the images and positions of a batch (Chen et al., MICCAI 2021). A prototype of no position is NaN.

    Args:
        features: e, (B, D, *s), or (B, K, D, *s) where a channel has features of its own.
        label: y, (B, K, *s) in {0, 1}.
        probs: p, (B, K, *s) in [0, 1].
        certain: m, (B, K, *s) in {0, 1}.

    Returns:
        Two tensors (K, D): object, background.
    """
    own = features.ndim > label.ndim
    maps = features.flatten(3 if own else 2)
    means = []
    for weight in (label * certain * probs, (1 - label) * certain * (1 - probs)):
        weight = weight.flatten(2)
        sums = torch.einsum("bkdn,bkn->kd" if own else "bdn,bkn->kd", maps, weight)
        means.append(sums / weight.sum((0, 2))[:, None])
    return means[0], means[1]


def prototype_label(features: Tensor, object_: Tensor, background: Tensor, *, own: bool = False) -> Tensor:
    r"""Where a position is nearer to its channel's object than to its background, boolean (B, K, *s).

    :math:`\|e - z^{obj}\|^2 < \|e - z^{bck}\|^2` is asked as: on which side of the plane between the two is e? A
    channel with a NaN prototype is False throughout.

    Args:
        features: e, (B, D, *s), or (B, K, D, *s) with ``own``.
        object_, background: (K, D).
    """
    direction = object_ - background
    offset = (direction * (object_ + background)).sum(1) / 2
    maps = features.flatten(3 if own else 2)
    side = torch.einsum("bkdn,kd->bkn" if own else "bdn,kd->bkn", maps, direction)
    return (side > offset[:, None]).unflatten(2, features.shape[3 if own else 2 :])


class PrototypeAgreement:
    """Keep the weight of a pixel where the nearer prototype of its channel says the same as the label; else 0.

    As in DPL (Chen et al., MICCAI 2021): per batch and channel, on the grid of the features; probabilities and spread
    are brought to it by (bi)linear interpolation, labels and the answer by nearest neighbour.

    Departs: where a batch has no certain position of one kind, the released code compares with NaN and so drops every
    object pixel of the channel; here there is nothing to agree with, all are kept, and a warning says so.

    Args:
        certain: positions with a spread below this make the prototypes, >= 0.
    """

    def __init__(self, *, certain: float = 0.05) -> None:
        if not certain >= 0:
            raise ValueError(f"Expected a limit >= 0 on the spread, found {certain}; 0.05 as published.")
        self.certain = certain

    def __call__(self, pseudo: PseudoLabel, evidence: Evidence) -> PseudoLabel:
        """Raises ValueError: if the evidence has no features or no spread."""
        missing = [name for name in ("features", "spread") if getattr(evidence, name) is None]
        if missing:
            raise ValueError(
                f"Expected evidence with features and spread, found no {' and no '.join(missing)}; observe with "
                "MonteCarlo(network, layer=...), which gives both."
            )
        assert evidence.features is not None
        assert evidence.spread is not None
        label = (pseudo.label > 0.5).float()
        features = evidence.features.float()
        own = features.ndim > label.ndim
        grid = features.shape[3 if own else 2 :]
        y, p, u = _nearest(label, grid), scaled(evidence.probs, grid), scaled(evidence.spread, grid)
        with torch.autocast(features.device.type, enabled=False):  # sums over a batch need float32
            found = prototypes(features, y, p, (u < self.certain).float())
            nearer = prototype_label(features, *found, own=own)
        agrees = _nearest(nearer.float(), label.shape[2:]) == label
        return pseudo._replace(weight=pseudo.weight * (agrees | self._unknown(*found, like=label)))

    def _unknown(self, *found: Tensor, like: Tensor) -> Tensor:
        """(K, 1, ...) channels without a prototype of either kind."""
        missing = torch.stack([means.isnan().any(1) for means in found])
        for kind, channel in missing.nonzero().tolist():
            name = ("object", "background")[kind]
            logger.warning("No certain %s in channel %d of a batch: its labels are kept unchecked.", name, channel)
        return missing.any(0).view(-1, *[1] * (like.ndim - 2))


def _nearest(maps: Tensor, grid: torch.Size) -> Tensor:
    return maps if maps.shape[2:] == grid else F.interpolate(maps, size=grid, mode="nearest")
