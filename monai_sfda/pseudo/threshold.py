"""Hard labels from probabilities."""

from __future__ import annotations

from collections.abc import Sequence

from monai_sfda.functional import Cutoff, check_cutoff, check_head, decide
from monai_sfda.protocols import Evidence, PseudoLabel

__all__ = ["Threshold"]


class Threshold:
    """Label 1 where the probability exceeds a cut-off, as in CBMT and DPL; every pixel keeps its weight.

    ``p == cutoff`` is 0 (strict, as released). With a softmax head and one number the most likely class is taken and
    pixels at or below the cut-off are ignored: their largest probability is no basis for a label. With a number for
    each channel the classes are weighed as in `decide`, and every pixel has a label.

    Args:
        cutoff: in (0, 1), one number or one for each channel; 0.75 in the published fundus methods.
        head: ``"sigmoid"`` or ``"softmax"``.
    """

    def __init__(self, *, cutoff: Cutoff = 0.75, head: str = "sigmoid") -> None:
        self.cutoff, self.head = check_cutoff(cutoff), check_head(head)

    def __call__(self, pseudo: PseudoLabel, evidence: Evidence) -> PseudoLabel:
        probs = evidence.probs
        label = decide(probs, self.head, self.cutoff).to(probs.dtype)
        if self.head == "sigmoid" or isinstance(self.cutoff, Sequence):
            return PseudoLabel(label, pseudo.weight)
        return PseudoLabel(label, pseudo.weight * (probs.amax(1, keepdim=True) > self.cutoff))
