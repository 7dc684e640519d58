"""Candidates that cost no adaptation: other cut-offs, half of the epochs, and networks between source and adapted one.

They are few, because each may look best by chance, and so costs certainty (docs/choose.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from monai_sfda.candidates.candidate import Candidate, Mixed
from monai_sfda.candidates.structures import Structures

__all__ = ["KEEP_MIDDLE", "at_cutoffs", "middle_networks", "mixed_networks"]

KEEP_MIDDLE = Path(__file__).with_name("keep_middle.json")
"""What an adaptation runs with beside its recipe, so that `middle_networks` finds weights."""

CUTOFFS = (0.5, 0.75)
"""The usual one, and that of the papers on fundus."""


def at_cutoffs(network: Candidate, structures: Structures) -> list[Candidate]:
    """The same network at each of `CUTOFFS` that is not its own for all structures; only those of a last epoch."""
    if network.mixed is not None or network.epoch is not None:
        return []
    own = network.cutoffs(structures.names, structures.head).values()
    return [network.at(cutoff) for cutoff in CUTOFFS if any(mine != cutoff for mine in own)]


def middle_networks(adapted: Sequence[Candidate], structures: Structures) -> list[Candidate]:
    """Each adapted network after half of its epochs, where there were several, at the cut-offs of the last.

    Methods that learn from their own labels drift, so that the last epoch need not be the best.
    """
    return [
        one._replace(
            name=f"{one.name} epoch {weights.stem}",
            weights=weights,
            options={"checkpoint": weights, "cutoff": one.cutoffs(structures.names, structures.head)},
            epoch=int(weights.stem),
        )
        for one in adapted
        for weights in sorted((one.bundle.parent / "epochs").glob("*.pt"))
    ]


def mixed_networks(source: Candidate, adapted: Sequence[Candidate]) -> list[Candidate]:
    """One network between the source and each adapted one.

    If the method kept the network, its weights and statistics lie halfway between both (Wortsman et al., CVPR 2022,
    arXiv 2109.01903); of batch-norm statistics that is a mixture of those of source and target (Dong et al., CVPR
    workshops 2024, arXiv 2402.09604). Otherwise it is the mean of both outputs, which takes two passes.
    """
    definition = source.network_def()
    return [
        one._replace(name=f"between source and {one.name}", mixed=Mixed("weights", source, one))
        if one.network_def() == definition
        else one._replace(name=f"mean of source and {one.name}", mixed=Mixed("outputs", source, one))
        for one in adapted
    ]
