"""The numbers of the rule, and when it looks at the outlines."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Rule"]

STATED_ERROR = 0.05
"""Of the intervals that are told."""


class Rule(NamedTuple):
    """When a candidate may replace the source network."""

    margin: float = 0.01
    """Loss of Dice that does no harm, and gain that is worth nothing."""
    cap: int = 20
    """Most outlines; then it is decided with what there is."""
    error: float = 0.1
    """Probability of adopting a candidate that loses more than the margin, over all looks together, if it loses just
    more; docs/choose.md has what it is with several candidates. One that loses much is adopted far less often."""
    looks: tuple[int, ...] = (5, 8, 12, 16)
    """Numbers of outlines at which it may be decided early."""

    def schedule(self, total: int) -> tuple[int, ...]:
        """All looks on ``total`` images; the last is at the cap, or when no image is left."""
        last = min(self.cap, total)
        return (*(look for look in self.looks if look < last), last)

    def error_at(self, count: int, total: int) -> float:
        """Share of the error that is spent on the look that ``count`` outlines have reached, 0 before the first.

        Alpha spending (Lan and DeMets 1983): by n outlines ``error * (n / cap) ** 2`` is spent, so that early looks
        decide only what is clear, and the last has most.
        """
        return self.error * self._share_at(count, total) if count >= self.schedule(total)[0] else 0.0

    def stated_level(self, count: int, total: int) -> float:
        """Of an interval, so that those of one candidate at all looks together hold at 95 %.

        The 5 % are spent as the error is; before the first look, an interval is as wide as one there.
        """
        return 1 - STATED_ERROR * self._share_at(count, total)

    def _share_at(self, count: int, total: int) -> float:
        looks = self.schedule(total)
        reached = [look for look in looks if look <= count] or [looks[0]]
        previous = reached[-2] if len(reached) > 1 else 0
        return (reached[-1] ** 2 - previous**2) / looks[-1] ** 2

    def reached(self, count: int, total: int) -> int:
        """How many of ``count`` outlines count: those of the last look, or all before the first.

        Whoever decides after each outline looks more often than the error allows for.
        """
        return max((look for look in self.schedule(total) if look <= count), default=count)

    def missing(self, count: int, total: int) -> int:
        """Outlines until the next look, 0 at the cap."""
        return next((look - count for look in self.schedule(total) if look > count), 0)
