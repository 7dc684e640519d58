"""A network that may be chosen, at a cut-off."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from monai.bundle import ConfigParser

from monai_sfda.files import sha256
from monai_sfda.json_file import read_json
from monai_sfda.passport import read_passport, source_cutoffs

__all__ = ["SOURCE", "Candidate", "Mixed"]

SOURCE = "source"
"""Name of the source network among the candidates."""


class Mixed(NamedTuple):
    """How a network is made of another and the source network, without any training."""

    kind: str
    """``weights``: each weight and statistic lies halfway between theirs; ``outputs``: the mean of probabilities."""
    source: Candidate
    adapted: Candidate


class Candidate(NamedTuple):
    """A network and how its probabilities become masks."""

    name: str
    bundle: Path
    weights: Path
    options: dict[str, Any]
    """Values that replace those of the bundle's configs."""
    mixed: Mixed | None = None
    """How the network is made, if its weights are not those of ``weights``."""
    cutoff: float | None = None
    """Of all structures; None: the bundle's own."""
    epoch: int | None = None
    """Of an adaptation, if its weights are not those of the last."""

    def at(self, cutoff: float) -> Candidate:
        """The same network at another cut-off."""
        return self._replace(name=f"{self.name} at {cutoff:g}", cutoff=cutoff)

    def network(self) -> Candidate:
        """The same network at the cut-offs of its bundle."""
        if self.cutoff is None:
            return self
        return self._replace(name=self.name.removesuffix(f" at {self.cutoff:g}"), cutoff=None)

    def parts(self) -> list[Candidate]:
        """The networks that have to run for it: itself, or those whose outputs it averages."""
        if self.mixed is not None and self.mixed.kind == "outputs":
            return [self.mixed.source, self.mixed.adapted]
        return [self.network()]

    def network_def(self) -> dict[str, Any]:
        """What builds the network of the bundle, as its configs say it."""
        parser = ConfigParser(read_json(self.bundle / "configs" / "inference.json"))
        parser.update({name: value for name, value in self.options.items() if name.startswith("network_def")})
        return parser.get("network_def")

    def cutoffs(self, structures: Sequence[str], head: str) -> dict[str, float]:
        """Structure -> cut-off, as for `monai_sfda.passport.channel_cutoffs`.

        Args:
            structures: their names.
            head: ``sigmoid`` or ``softmax``, where one number for all channels changes nothing and is told as 0.5.
        """
        if self.cutoff is not None:
            return dict.fromkeys(structures, self.cutoff)
        given = self.options.get("cutoff", read_json(self.bundle / "configs" / "inference.json")["cutoff"])
        if isinstance(given, str):
            return source_cutoffs(self.weights, structures)
        if isinstance(given, Mapping):
            return {name: float(given.get(name, 0.5)) for name in structures}
        return dict.fromkeys(structures, float(given) if head == "sigmoid" else 0.5)

    def made_of(self) -> dict[str, Any]:
        """Plain values that are the same as long as its masks are: checksums, cut-offs, options."""
        facts = read_passport(self.weights)
        own: dict[str, Any] = {
            "weights": facts.get("weights") or sha256(self.weights),
            "configs": sha256(self.bundle / "configs" / "inference.json"),
            "cutoff": facts.get("cutoff"),
            "options": json.loads(json.dumps({name: v for name, v in self.options.items() if name != "checkpoint"})),
        }
        return own if self.mixed is None else {**own, "mixed": self.mixed.kind, "with": self.mixed.source.made_of()}
