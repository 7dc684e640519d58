"""Candidates that cost no adaptation: other cut-offs, and networks between the source and an adapted one."""

from __future__ import annotations

from collections.abc import Sequence

from monai_sfda.candidates.candidate import Candidate, Mixed
from monai_sfda.candidates.structures import Structures

__all__ = ["at_cutoffs", "mixed_networks"]

CUTOFFS = (0.5, 0.75)
SHARES = (0.5,)
"""Of the adapted network in weights that lie between its own and those of the source."""


def at_cutoffs(network: Candidate, structures: Structures) -> list[Candidate]:
    """The same network at each of `CUTOFFS` that is not its own for all structures."""
    own = network.cutoffs(structures.names, structures.head)
    return [network.at(cutoff) for cutoff in CUTOFFS if any(mine != cutoff for mine in own.values())]


def mixed_networks(source: Candidate, adapted: Sequence[Candidate]) -> list[Candidate]:
    """Networks between the source and each adapted one.

    Weights lie halfway between both (Wortsman et al., CVPR 2022, arXiv 2109.01903), if the method kept the network;
    those of batch-norm statistics are a mixture of the statistics of source and target (Dong et al., CVPR workshops
    2024, arXiv 2402.09604). Outputs are the mean of both probabilities.
    """
    definition = source.network_def()
    mixed = []
    for one in adapted:
        for share in SHARES if one.network_def() == definition else ():
            part = "" if share == 0.5 else f"{share:g} "
            mixed.append(_mixed(f"{part}between source and {one.name}", one, Mixed("weights", share, source, one)))
        mixed.append(_mixed(f"mean of source and {one.name}", one, Mixed("outputs", 0.5, source, one)))
    return mixed


def _mixed(name: str, adapted: Candidate, how: Mixed) -> Candidate:
    return adapted._replace(name=name, mixed=how)
