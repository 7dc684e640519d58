"""Leave out pixels of which the network is not sure."""

from __future__ import annotations

from monai_sfda.protocols import Evidence, PseudoLabel

__all__ = ["ConfidentOnly"]


class ConfidentOnly:
    """Keep the weight of a pixel where max(p, 1 - p) reaches a confidence, as in FixMatch (Sohn et al., 2020); else 0.

    Args:
        confidence: in [0.5, 1]; 0.5 keeps all.
    """

    def __init__(self, *, confidence: float) -> None:
        if not 0.5 <= confidence <= 1:
            raise ValueError(f"Expected a confidence between 0.5 (keep all) and 1, found {confidence}.")
        self.confidence = confidence

    def __call__(self, pseudo: PseudoLabel, evidence: Evidence) -> PseudoLabel:
        sure = evidence.probs.maximum(1 - evidence.probs) >= self.confidence
        return pseudo._replace(weight=pseudo.weight * sure)
