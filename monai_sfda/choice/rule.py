"""The numbers of the rule, and when it looks at the outlines."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Rule"]


class Rule(NamedTuple):
    """When a candidate may replace the source network."""

    margin: float = 0.01
    """Loss of Dice that does no harm, and gain that is worth nothing."""
    cap: int = 20
    """Most outlines; then it is decided with what there is."""
    error: float = 0.1
    """Probability of adopting a candidate that loses more than the margin, over all looks and candidates together, if
    all of them lose just more; one that loses much is adopted far less often."""
    looks: tuple[int, ...] = (5, 8, 12, 16)
    """Numbers of outlines at which it may be decided early."""

    def schedule(self, total: int) -> tuple[int, ...]:
        """All looks on ``total`` images; the last is at the cap, or when no image is left."""
        last = min(self.cap, total)
        return (*(look for look in self.looks if look < last), last)

    def error_at(self, count: int, total: int) -> float:
        """Share of the error that is spent on the look that ``count`` outlines have reached, 0 before the first.

        Alpha spending (Lan and DeMets 1983): by n outlines ``error * (n / cap) ** 2`` is spent, so that early looks
        decide only what is clear, and the last has most. Outlines beyond a look belong to it until the next look.
        """
        reached = [look for look in self.schedule(total) if look <= count]
        if not reached:
            return 0.0
        previous = reached[-2] if len(reached) > 1 else 0
        return self.error * (reached[-1] ** 2 - previous**2) / self.schedule(total)[-1] ** 2

    def missing(self, count: int, total: int) -> int:
        """Outlines until the next look, 0 at the cap."""
        return next((look - count for look in self.schedule(total) if look > count), 0)
