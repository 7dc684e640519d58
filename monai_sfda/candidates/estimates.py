"""What the outlines tell of every candidate, for each structure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from statistics import fmean
from typing import Any

from monai_sfda.candidates.ask import Asked
from monai_sfda.candidates.candidate import SOURCE
from monai_sfda.candidates.sample import Sample
from monai_sfda.choice import CaseGains, Decision, Gain, decide, decide_jointly

__all__ = ["TOGETHER", "Estimates"]

TOGETHER = "together"
"""Stands for the bundle whose structures come from different candidates."""


class Estimates:
    """Gains of all candidates.

    Args:
        table: structure -> candidate -> gains of the outlined images.
        asked: where a candidate has the masks of the source network on all images, its gain is known to be nothing.
        sample: how the outlined images were drawn.
        unseen: structures that no outline shows.
    """

    def __init__(
        self,
        table: Mapping[str, Mapping[str, CaseGains]],
        asked: Asked,
        sample: Sample,
        unseen: Collection[str] = (),
    ) -> None:
        self.sample, self.joint, self.unseen = sample, asked.structures.joint, unseen
        self.changed = {
            s: {name: row.values for name, row in column.items() if (s, name) not in asked.unchanged or any(row.values)}
            for s, column in table.items()
        }
        self.pulled = {s: self._all(table[s], sample.estimate(self.changed[s])) for s in table}
        """Structure -> candidate -> gain, pulled toward the others: of them the best is taken."""
        alone = {s: {name: sample.alone(name, z) for name, z in column.items()} for s, column in self.changed.items()}
        self.alone = {s: self._all(table[s], alone[s]) for s in table}
        """Structure -> candidate -> gain by its own outlines: of them none may be a loss."""

    def decisions(self) -> list[Decision]:
        """One for each structure, or one for all, on the mean of those that an outline shows."""
        sample = self.sample
        options: dict[str, Any] = {"total": sample.total, "rule": sample.rule, "further": sample.further}
        if not self.joint:
            return [decide(structure, column, **options) for structure, column in self.pulled.items()]
        seen = [s for s in self.pulled if s not in self.unseen] or list(self.pulled)
        none = [0.0] * len(sample.draws)
        means = {
            name: [fmean(values) for values in zip(*(self.changed[s].get(name, none) for s in seen), strict=True)]
            for name in self.pulled[seen[0]]
        }
        guards = {s: {name: self._guard(s, name) for name in column} for s, column in self.alone.items()}
        return [decide_jointly(guards, sample.estimate(means), **options)]

    def together(self, structure: str, network: str, values: list[float]) -> Gain:
        """Gain of a structure in the bundle whose structures come from different networks."""
        if network == SOURCE:  # beside which the candidates stand
            return self.sample.alone(TOGETHER, values) if any(values) else self.sample.nothing()
        column = self.changed[structure]
        return self.sample.estimate({**column, network: values})[network] if any(values) else self.sample.nothing()

    def _guard(self, structure: str, name: str) -> Gain:
        """Where nothing is to be found, and neither network finds anything, no certainty is to be had."""
        found = any(self.changed[structure].get(name, ()))
        return self.alone[structure][name] if found or structure not in self.unseen else self.sample.nothing()

    def _all(self, column: Mapping[str, CaseGains], known: Mapping[str, Gain]) -> dict[str, Gain]:
        return {name: known.get(name, self.sample.nothing()) for name in column}
