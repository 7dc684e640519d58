"""The outlined images as a sample of all that can be outlined."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from monai_sfda.candidates.ask import Asked
from monai_sfda.candidates.fine_tune import FINE_TUNED
from monai_sfda.candidates.outlines import Outlines
from monai_sfda.choice import Gain, Rule, drawn_in_order, estimate_gain, pull, stated, weights

__all__ = ["Sample"]

ENDLESS = 10**9
"""Images, of which the outlined ones are no part worth mentioning."""


class Sample:
    """What the outlined images tell of all.

    Args:
        asked: the candidates, and the order in which the images were drawn.
        outlines: what can be used of them; images that were passed over do not count among all.
    """

    def __init__(self, asked: Asked, outlines: Outlines) -> None:
        able = {drawn.case: drawn.disagreement for drawn in asked.order if drawn.case not in outlines.skipped}
        copies = {drawn.case for drawn in asked.order if drawn.image}
        count = len(outlines.masks)
        exhausted = outlines.exhausted or copies <= {*outlines.masks, *outlines.skipped}
        self.images, self.total = len(asked.order), len(able)
        self.rule = Rule(cap=min(count, Rule().cap)) if exhausted else Rule()  # nothing is left to outline
        self.outlines = outlines.first(self.rule.reached(count, self.total))
        self.further = count - len(self.outlines.masks)
        self.draws = drawn_in_order(list(self.outlines.masks), able)

    def estimate(self, column: Mapping[str, Sequence[float]]) -> dict[str, Gain]:
        """Of all candidates: gains on the first outlined images -> gains on all, see `pull`.

        Outlines that a candidate has learned from tell what it gains on others, never on these themselves.
        """
        count = len(next(iter(column.values()), ()))
        # Images that were passed over are some that nothing is known of: only all of them together leave no doubt.
        pulled = pull(column, weights=self._weights(count), total=self.images)
        return {name: estimate_gain(z, total=self._among(name)) for name, z in pulled.items()}

    def alone(self, name: str, values: Sequence[float]) -> Gain:
        """Of one candidate, whatever the others gain."""
        return estimate_gain(values, weights=self._weights(len(values)), total=self._among(name))

    def _weights(self, count: int) -> list[float]:
        return weights(self.draws[:count], self.total)

    def _among(self, name: str) -> int:
        return ENDLESS if name == FINE_TUNED else self.images

    def nothing(self) -> Gain:
        """The gain of what changes nothing."""
        return Gain(0.0, 0.0, len(self.draws))

    def told(self, gain: Gain) -> dict[str, float | None]:
        """``dice``: mean gain, with an interval ``low`` to ``high``, 95 % for all looks together.

        The ends are None where too few outlines tell.
        """
        level = self.rule.stated_level(gain.count, self.total)
        low, high = (None if math.isnan(bound) else bound for bound in stated(gain, level))
        return {"dice": gain.mean, "low": low, "high": high}

    def curve(self, column: Mapping[str, Sequence[float]], network: str) -> dict[str, Any]:
        """What was known of the network that was taken, or else looks best, after each outline since the first look."""
        if not column:
            return {"candidate": network, "after": []}
        last = self.estimate(column)
        name = network if network in column else max(last, key=lambda name: last[name].mean)
        counts = range(self.rule.schedule(self.total)[0], len(self.draws) + 1)
        made = ({name: values[:count] for name, values in column.items()} for count in counts)
        told = [self.told(self.estimate(values)[name]) for values in made]
        return {"candidate": name, "after": [{"outlines": n, **one} for n, one in zip(counts, told, strict=True)]}
