"""What the rule would have decided, where the truth is known: many orders of outlines, each taken as a clinic would."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from monai_sfda.choice.bounds import Interval, interval
from monai_sfda.choice.decide import decide
from monai_sfda.choice.draw import draw_order, weights
from monai_sfda.choice.estimate import Gain, estimate_gain
from monai_sfda.choice.pull import pull
from monai_sfda.choice.rule import Rule

__all__ = ["OUTLINES", "POLICIES", "Choice", "Scored", "replay"]

OUTLINES = (0, 3, 5, 8, 10, 15, 20)
"""Numbers of outlines at which a clinic stops."""
RULE, UNIFORM, LARGEST = "the rule", "the rule, drawn uniformly", "largest mean, drawn uniformly"
POLICIES = (RULE, UNIFORM, LARGEST)
ROUNDING = 1e-9  # with all images outlined an interval has no width


class Scored(NamedTuple):
    """N images on which every candidate is scored."""

    gains: Mapping[str, Mapping[str, Sequence[float]]]
    """structure -> candidate -> (N,), gain of Dice over the source network; see `case_gains`."""
    disagreement: Sequence[float]
    """(N,), how much the candidates' masks differ from the source network's; what the drawing follows."""


class Choice(NamedTuple):
    """What one order of outlines led to, for one structure and a clinic that stops at so many outlines."""

    structure: str
    policy: str
    stop: int
    candidate: str
    """Empty: the source network."""
    used: int
    """Outlines until the decision."""
    gain: float
    """True mean gain of what was chosen."""
    covered: float
    """Share of the candidates' 95 % intervals at ``stop`` outlines that hold the true gain; nan if there is none."""
    said: float
    """1 if the interval that is told with ``adopt`` holds the true gain, else 0; nan with another decision."""


def replay(scored: Scored, *, orders: int = 1000, stops: Sequence[int] = OUTLINES) -> Iterator[Choice]:
    """Draw ``orders`` orders and decide; the order has the seed 0, 1, ...

    Args:
        scored: the truth.
        orders: how many.
        stops: numbers of outlines at which the clinic stops; more than there are images are left out.
    """
    cases = [f"{number:09}" for number in range(len(scored.disagreement))]
    disagreement = dict(zip(cases, scored.disagreement, strict=True))
    stops = [stop for stop in stops if stop <= len(cases)]
    for seed in range(orders):
        for uniform, policies in ((False, {RULE: _by_rule}), (True, {UNIFORM: _by_rule, LARGEST: _by_mean})):
            draws = draw_order(disagreement, seed=seed, uniform=uniform, count=max(stops))
            images = [int(draw.case) for draw in draws]
            counts = [weights(draws[:n], len(cases)) for n in range(len(draws) + 1)]
            for structure, gains in scored.gains.items():
                outlined = _Outlined({name: np.asarray(gains[name]) for name in gains}, images, counts)
                for policy, choose in policies.items():
                    yield from (choose(structure, outlined, stop)._replace(policy=policy) for stop in stops)


class _Outlined:
    """Estimates of one structure in one order, each made once."""

    def __init__(
        self, gains: Mapping[str, np.ndarray], images: Sequence[int], counts: Sequence[Sequence[float]]
    ) -> None:
        self.total = len(next(iter(gains.values())))
        self.truth = {name: float(values.mean()) for name, values in gains.items()}
        self._gains = {name: values[images].tolist() for name, values in gains.items()}
        self._weights = counts
        self._made: dict[int, dict[str, Gain]] = {}

    def at(self, n: int) -> dict[str, Gain]:
        if n not in self._made:
            values = {name: values[:n] for name, values in self._gains.items()}
            pulled = pull(values, weights=self._weights[n], total=self.total)
            self._made[n] = {name: estimate_gain(z, total=self.total) for name, z in pulled.items()}
        return self._made[n]

    def covered(self, n: int) -> float:
        held = [self.holds(name, interval(gain)) for name, gain in self.at(n).items()]
        known = [one for one in held if not np.isnan(one)]
        return float(np.mean(known)) if known else float("nan")

    def holds(self, name: str, bounds: Interval) -> float:
        if np.isnan(bounds.low):
            return float("nan")
        return float(bounds.low - ROUNDING <= self.truth[name] <= bounds.high + ROUNDING)


def _by_rule(structure: str, outlined: _Outlined, stop: int) -> Choice:
    if not stop:
        return _choice(structure, outlined, stop, "", 0)
    rule = Rule(cap=stop)
    for count in rule.schedule(outlined.total):
        decision = decide(structure, outlined.at(count), total=outlined.total, rule=rule)
        if decision.action != "outline":
            break
    if decision.action != "adopt":
        return _choice(structure, outlined, stop, "", count)
    said = outlined.holds(decision.candidate, decision.interval)
    return _choice(structure, outlined, stop, decision.candidate, count)._replace(said=said)


def _by_mean(structure: str, outlined: _Outlined, stop: int) -> Choice:
    means = {name: gain.mean for name, gain in outlined.at(stop).items() if gain.mean > 0}
    return _choice(structure, outlined, stop, max(means, key=lambda name: means[name], default=""), stop)


def _choice(structure: str, outlined: _Outlined, stop: int, name: str, used: int) -> Choice:
    gain = outlined.truth.get(name, 0.0)
    return Choice(structure, "", stop, name, used, gain, outlined.covered(stop), float("nan"))
