"""What to use for each structure, where each structure has its own decision."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from statistics import fmean
from typing import NamedTuple

from monai_sfda.candidates.candidate import SOURCE
from monai_sfda.candidates.estimates import Estimates
from monai_sfda.choice import Decision, is_safe

__all__ = ["Settled", "compromise", "settle"]


class Settled(NamedTuple):
    """What to do."""

    action: str
    """``adopt``, ``keep-source`` or ``outline``."""
    networks: dict[str, str]
    """Structure -> name of the candidate to use; empty while more outlines are needed."""
    more: int
    """Outlines that are needed before the next decision."""
    sentence: str


def settle(decisions: Sequence[Decision], names: Sequence[str], unseen: Collection[str] = ()) -> Settled:
    """Join the decisions of all structures: each gets the candidate that was decided for it.

    Args:
        decisions: of all structures, or one of all together.
        names: the structures.
        unseen: those that no outline shows. Perhaps nobody outlined them, so they stay with the source network.
    """
    nothing = len(unseen) == len(names)
    counted = [] if nothing else [decision for decision in decisions if decision.structure not in unseen]
    more = max(decision.more for decision in counted or decisions)
    told = [f"{_capital(decision.sentence())}." for decision in counted]
    if not counted:
        told.append(f"Outline {more} more." if more else "Keep the source network.")
    told += [f"No outline shows the {name}: was it outlined?" for name in unseen]
    if more:
        return Settled("outline", {}, more, " ".join(told))
    wanted = [decision.candidate if decision.action == "adopt" else SOURCE for decision in decisions]
    networks = dict(zip(names, wanted if len(wanted) == len(names) else wanted * len(names), strict=True))
    if nothing or len(decisions) == len(names):
        networks |= dict.fromkeys(unseen, SOURCE)
    if len(set(networks.values())) > 1:
        told.append(f"The bundle takes {' and '.join(f'the {s} from {name}' for s, name in networks.items())}.")
    return Settled(_action(networks), networks, 0, " ".join(told))


def compromise(settled: Settled, made: Estimates, same: Mapping[str, Mapping[str, str]]) -> Settled:
    """One candidate for all structures, where those of different candidates harm each other.

    Taken is the largest mean gain among the candidates that lose no more than the margin in any structure, with the
    certainty that a single decision asks for; if there is none, or it does not gain on average, the source network.
    Structures that no outline shows say nothing.

    Args:
        settled: what was decided.
        made: of the candidates that stand for themselves.
        same: structure -> candidate -> the one that stands for it, the source network among them.
    """
    names = dict.fromkeys(name for column in same.values() for name in column if name != SOURCE)
    unchanged, rule = made.sample.nothing(), made.sample.rule
    error = rule.error_at(unchanged.count, made.sample.total)
    seen = [s for s in made.pulled if s not in made.unseen]
    alone = {s: {name: made.alone[s].get(same[s][name], unchanged) for name in names} for s in seen}
    safe = [name for name in names if all(is_safe(name, [column], error, rule) for column in alone.values())]
    means = {name: fmean(made.pulled[s].get(same[s][name], unchanged).mean for s in seen) for name in safe}
    best = max(means, key=lambda name: means[name], default=SOURCE)
    network = best if means.get(best, 0.0) > 0 else SOURCE
    why = (
        "of those that are safe in every structure it gained most on average"
        if network != SOURCE
        else "no candidate gains on average and is safe in every structure"
    )
    name = "the source network" if network == SOURCE else network
    told = f"{settled.sentence} Together they lose what one of them gained, so one serves all: {name}, because {why}."
    networks = dict.fromkeys(settled.networks, network)
    return Settled(_action(networks), networks, 0, told)


def _action(networks: Mapping[str, str]) -> str:
    return "keep-source" if set(networks.values()) == {SOURCE} else "adopt"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
