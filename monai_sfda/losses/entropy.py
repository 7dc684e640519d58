"""Entropy of the prediction."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from monai_sfda.functional import check_head, log_distributions

__all__ = ["EntropyLoss"]


class EntropyLoss(nn.Module):
    r"""Entropy in nats, mean over images and pixels: :math:`-\sum_k \nu_k p_k \ln p_k`.

    Source-free adaptation with class weights (Bateson et al., MICCAI 2020, MedIA 2022) and, without weights, TENT
    (Wang et al., ICLR 2021). A sigmoid channel is a distribution over absent and present, and the mean also runs over
    channels; this equals a softmax over the logits (0, z). Taken from log-probabilities, so it is finite, with a finite
    gradient, for all logits up to 1e38.

    Args:
        head: ``"sigmoid"`` or ``"softmax"``.
        share: divide by the largest entropy, :math:`\ln C` of C answers, as ADVENT does (Vu et al., CVPR 2019): the
            result is in [0, 1], and for sigmoid channels and for two classes it is in bits.
        class_weight: :math:`\nu \ge 0`, one number per class of a softmax head; ``(absent, present)`` for a sigmoid
            head, for all channels alike, or K such pairs. None is Shannon's entropy, all weights 1.

    Shape:
        pred (B, K, *S) logits; result ().
    """

    def __init__(
        self,
        *,
        head: str = "sigmoid",
        share: bool = False,
        class_weight: Sequence[float] | Sequence[Sequence[float]] | None = None,
    ) -> None:
        super().__init__()
        self.head, self.share = check_head(head), share
        self.class_weight = None if class_weight is None else torch.tensor(class_weight, dtype=torch.float32)
        if self.class_weight is not None and not (self.class_weight >= 0).all():
            raise ValueError(f"Expected class weights of at least 0, found {class_weight}.")

    def forward(self, *, pred: Tensor, **_: object) -> Tensor:
        log_p = log_distributions(pred, self.head)
        entropy = -(log_p.exp() * log_p).flatten(3).mean((0, 3))
        if self.share:
            entropy = entropy / math.log(log_p.shape[2])
        return (entropy if self.class_weight is None else entropy * self._weights(entropy)).sum(1).mean()

    def _weights(self, entropy: Tensor) -> Tensor:
        """Raises ValueError: if there is not one weight for each class (G, C)."""
        assert self.class_weight is not None
        if self.class_weight.shape not in (entropy.shape, entropy.shape[1:]):
            wanted = "(absent, present)" if self.head == "sigmoid" else f"{entropy.shape[1]} numbers, one per class"
            raise ValueError(f"Expected class_weight {wanted}, found {self.class_weight.tolist()}.")
        return self.class_weight.to(entropy.device)
