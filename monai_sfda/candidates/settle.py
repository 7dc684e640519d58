"""One network for all structures, where each structure has its own decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import NamedTuple

from monai_sfda.candidates.run import SOURCE
from monai_sfda.choice import Decision, Gain, Rule, is_safe

__all__ = ["Settled", "settle"]


class Settled(NamedTuple):
    """What to do."""

    action: str
    """``adopt``, ``keep-source`` or ``outline``."""
    network: str
    """Name of the network to use; empty while more outlines are needed."""
    more: int
    """Outlines that are needed before the next decision."""
    sentence: str


def settle(
    decisions: Sequence[Decision], gains: Mapping[str, Mapping[str, Gain]], *, total: int, rule: Rule | None = None
) -> Settled:
    """Join the decisions of all structures.

    Where structures want different networks, the one with the largest mean gain is taken of those candidates that lose
    no more than the margin in any structure, with the certainty that a single decision asks for; if there is none, or
    it does not gain on average, the source network.

    Args:
        decisions: of all structures.
        gains: structure -> candidate -> gain.
        total: number of images that the outlined ones were drawn from.
        rule: as for the decisions.
    """
    rule = rule or Rule()
    told = ". ".join(_capital(decision.sentence()) for decision in decisions)
    if more := max(decision.more for decision in decisions):
        return Settled("outline", "", more, f"{told}.")
    wanted = {decision.candidate if decision.action == "adopt" else SOURCE for decision in decisions}
    if len(wanted) == 1:
        network = wanted.pop()
    else:
        network = _for_all(gains, total, rule)
        why = (
            "of those that are safe in every structure it gained most on average"
            if network != SOURCE
            else "no candidate gains on average and is safe in every structure"
        )
        name = "the source network" if network == SOURCE else network
        told += f". The structures want different networks, and one has to serve all: {name}, because {why}"
    return Settled("keep-source" if network == SOURCE else "adopt", network, 0, f"{told}.")


def _for_all(gains: Mapping[str, Mapping[str, Gain]], total: int, rule: Rule) -> str:
    columns = list(gains.values())
    names = list(columns[0])
    error = rule.error_at(columns[0][names[0]].count, total) / len(names)
    means = {name: fmean(column[name].mean for column in columns) for name in names}
    safe = [name for name in names if is_safe(name, columns, error, rule)]
    best = max(safe, key=lambda name: means[name], default=SOURCE)
    return best if means.get(best, 0.0) > 0 else SOURCE


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
