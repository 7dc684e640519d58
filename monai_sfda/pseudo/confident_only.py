"""Leave out pixels about which the network is not sure."""

from __future__ import annotations

from monai_sfda.functional import check_head
from monai_sfda.protocols import Evidence, PseudoLabel

__all__ = ["ConfidentOnly"]


class ConfidentOnly:
    """Give weight 0 to pixels whose likeliest class does not reach a confidence, as FixMatch does (Sohn et al., 2020).

    With a sigmoid head each channel has two classes, so that it is max(p, 1 - p) of that channel; with softmax it is
    the largest of the K probabilities, and a pixel is left out with all its channels.

    Args:
        confidence: in [0.5, 1]; 0.5 keeps all of a sigmoid head.
        head: ``"sigmoid"`` or ``"softmax"``.

    Raises:
        ValueError: if ``confidence`` is out of range or ``head`` unknown.
    """

    def __init__(self, *, confidence: float, head: str = "sigmoid") -> None:
        if not 0.5 <= confidence <= 1:
            raise ValueError(f"Expected a confidence between 0.5 (keep all) and 1, found {confidence}.")
        self.confidence, self.head = confidence, check_head(head)

    def __call__(self, pseudo: PseudoLabel, evidence: Evidence) -> PseudoLabel:
        probs = evidence.probs
        likeliest = probs.maximum(1 - probs) if self.head == "sigmoid" else probs.amax(1, keepdim=True)
        return pseudo._replace(weight=pseudo.weight * (likeliest >= self.confidence))
