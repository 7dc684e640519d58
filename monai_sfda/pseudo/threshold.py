"""Hard labels from probabilities."""

from __future__ import annotations

from monai_sfda.functional import check_head, decide
from monai_sfda.protocols import Evidence, PseudoLabel

__all__ = ["Threshold"]


class Threshold:
    """Label 1 where the probability exceeds a cut-off, as in CBMT and DPL; every pixel keeps its weight.

    ``p == cutoff`` is 0 (strict, as released). With a softmax head the most likely class is taken and pixels
    at or below the cut-off are ignored: their largest probability is no basis for a label.

    Args:
        cutoff: in (0, 1); 0.75 in the published fundus methods.
        head: ``"sigmoid"`` or ``"softmax"``.
    """

    def __init__(self, *, cutoff: float = 0.75, head: str = "sigmoid") -> None:
        if not 0 < cutoff < 1:
            raise ValueError(f"Expected a cut-off between 0 and 1, found {cutoff}.")
        self.cutoff, self.head = cutoff, check_head(head)

    def __call__(self, pseudo: PseudoLabel, evidence: Evidence) -> PseudoLabel:
        probs = evidence.probs
        label = decide(probs, self.head, self.cutoff).to(probs.dtype)
        if self.head == "sigmoid":
            return PseudoLabel(label, pseudo.weight)
        return PseudoLabel(label, pseudo.weight * (probs.amax(1, keepdim=True) > self.cutoff))
