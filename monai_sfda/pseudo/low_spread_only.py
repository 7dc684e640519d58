"""Leave out pixels on which stochastic passes disagree."""

from __future__ import annotations

from monai_sfda.protocols import Evidence, PseudoLabel

__all__ = ["LowSpreadOnly"]


class LowSpreadOnly:
    """Keep the weight of a pixel where the spread is below a limit, as in DPL (Chen et al., MICCAI 2021); else 0.

    Args:
        limit: eta of the paper, exclusive, >= 0; infinite keeps all.
    """

    def __init__(self, *, limit: float = 0.05) -> None:
        if not limit >= 0:
            raise ValueError(f"Expected a limit >= 0 on the spread, found {limit}; 0.05 as published.")
        self.limit = limit

    def __call__(self, pseudo: PseudoLabel, evidence: Evidence) -> PseudoLabel:
        """Raises ValueError: if the evidence has no spread."""
        if evidence.spread is None:
            raise ValueError("Expected evidence with a spread, found none; observe with MonteCarlo.")
        return pseudo._replace(weight=pseudo.weight * (evidence.spread < self.limit))
