"""Adopt a candidate, keep the source network, or outline more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from monai_sfda.choice.bounds import Interval, lower_bound, stated, upper_bound
from monai_sfda.choice.estimate import Gain
from monai_sfda.choice.rule import Rule
from monai_sfda.choice.words import sentence

__all__ = ["Decision", "decide", "decide_jointly", "is_safe"]


class Decision(NamedTuple):
    """What to do for one structure, or for several that are decided together."""

    structure: str
    action: str
    """``adopt``, ``keep-source`` or ``outline``."""
    candidate: str
    """The one to adopt; otherwise the one with the largest estimated gain."""
    gain: Gain
    """Of this candidate."""
    interval: Interval
    """Two-sided; 95 % for all looks together. That the best of several is told is allowed for by `pull`."""
    more: int = 0
    """With ``outline``: how many more until the next decision."""
    shown: bool = True
    """False with ``keep-source`` for want of certainty: nothing was shown to be safe, nor all to be worth nothing."""

    def sentence(self) -> str:
        """The decision in words."""
        return sentence(self.action, self.candidate, self.structure, self.gain, self.interval, self.more, self.shown)


def decide(
    structure: str, gains: Mapping[str, Gain], *, total: int, rule: Rule | None = None, further: int = 0
) -> Decision:
    """Decide for one structure.

    The candidate with the largest gain is adopted if it gained and, but for the error of this look, loses no more than
    the margin. The source network is kept if no candidate gains more than the margin. Otherwise more images are to be
    outlined; at the cap the largest gain that is safe wins. That the best of several was taken is allowed for by their
    gains, which `pull` has brought nearer to each other.

    Args:
        structure: its name, for the words.
        gains: candidate -> gain over the source network, all on the same outlines, of values that `pull` gave; without
            the source network.
        total: number of images that the outlined ones were drawn from.
        rule: margin, cap, error and looks.
        further: outlines there are beyond those that the gains rest on, see `Rule.reached`.

    Raises:
        ValueError: if there is no candidate, or they rest on different numbers of outlines.
    """
    return _decide(structure, gains, [gains], total, rule or Rule(), further)


def decide_jointly(
    gains: Mapping[str, Mapping[str, Gain]],
    mean: Mapping[str, Gain],
    *,
    total: int,
    rule: Rule | None = None,
    further: int = 0,
) -> Decision:
    """Decide for structures that exclude each other, so that they can only come from one network.

    As `decide` on the mean over structures; a candidate is safe only if it is so for each of them.

    Args:
        gains: structure -> candidate -> gain of its own outlines, not pulled: of the harm in one structure the others
            know nothing.
        mean: candidate -> estimate from the gains of the images, averaged over the structures.
        total: as in `decide`.
        rule: as in `decide`.
        further: as in `decide`.
    """
    structure = f"mean of {' and '.join(gains)}" if len(gains) > 1 else next(iter(gains), "")
    return _decide(structure, mean, [mean, *gains.values()], total, rule or Rule(), further)


def _decide(
    structure: str, gains: Mapping[str, Gain], guarded: list[Mapping[str, Gain]], total: int, rule: Rule, further: int
) -> Decision:
    count = _count(guarded)
    best = max(gains, key=lambda name: (gains[name].mean, name))
    more = max(0, rule.missing(count, total) - further)
    error, level = rule.error_at(count, total), rule.stated_level(count, total)

    def decision(action: str, name: str = best, more: int = 0, shown: bool = True) -> Decision:
        return Decision(structure, action, name, gains[name], stated(gains[name], level), more, shown)

    if not error:
        return decision("outline", more=more)
    safe = [name for name in gains if gains[name].mean > 0 and is_safe(name, guarded, error, rule)]
    if best in safe:
        return decision("adopt")
    if all(upper_bound(gain, error) <= rule.margin for gain in gains.values()):
        return decision("keep-source")
    if more:
        return decision("outline", more=more)
    if safe:
        return decision("adopt", max(safe, key=lambda name: gains[name].mean))
    return decision("keep-source", shown=False)


def is_safe(name: str, guarded: Sequence[Mapping[str, Gain]], error: float, rule: Rule) -> bool:
    """Whether a candidate loses no more than the margin in any of ``guarded``, but for a probability of ``error``."""
    return all(lower_bound(gains[name], error) > -rule.margin for gains in guarded)


def _count(guarded: list[Mapping[str, Gain]]) -> int:
    counts = {gain.count for gains in guarded for gain in gains.values()}
    if len(counts) != 1 or any(gains.keys() != guarded[0].keys() for gains in guarded):
        raise ValueError(
            f"Expected the gains of at least one candidate, all on the same outlines, found {guarded}; estimate every "
            "candidate on the same images."
        )
    return counts.pop()
