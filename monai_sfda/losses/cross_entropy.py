"""Plain cross-entropy on labelled source images."""

from __future__ import annotations

from torch import Tensor, nn

from monai_sfda.functional import check_head, distributions, log_distributions

__all__ = ["CrossEntropy"]


class CrossEntropy(nn.Module):
    """Cross-entropy in nats, mean over images and pixels; a sigmoid channel is a distribution over absent and present.

    Args:
        head: ``"sigmoid"`` (the mean also runs over channels) or ``"softmax"``.

    Shape:
        pred (B, K, *S) logits, label (B, K, *S) of 0 and 1; result ().
    """

    def __init__(self, *, head: str = "sigmoid") -> None:
        super().__init__()
        self.head = check_head(head)

    def forward(self, *, pred: Tensor, label: Tensor, **_: object) -> Tensor:
        log_p = log_distributions(pred, self.head)
        return -(distributions(label.to(log_p.dtype), self.head) * log_p).sum(2).mean()
