"""Candidates that cost no adaptation: other cut-offs, and networks halfway between the source and an adapted one.

They are few, because each costs certainty: the error is divided by the number of candidates (docs/choose.md).
"""

from __future__ import annotations

from collections.abc import Sequence

from monai_sfda.candidates.candidate import Candidate, Mixed
from monai_sfda.candidates.structures import Structures

__all__ = ["at_cutoffs", "mixed_networks"]

CUTOFFS = (0.5, 0.75)
"""The usual one, and that of the papers on fundus."""


def at_cutoffs(network: Candidate, structures: Structures) -> list[Candidate]:
    """The same network at each of `CUTOFFS` that is not its own for all structures; a mixed one at its own only."""
    own = network.cutoffs(structures.names, structures.head)
    return [
        network.at(cutoff)
        for cutoff in CUTOFFS
        if network.mixed is None and any(mine != cutoff for mine in own.values())
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
