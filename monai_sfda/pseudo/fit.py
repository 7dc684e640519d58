"""Show the data set to refiners that must see all of it before the first step."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from ignite.engine import Engine, Events

from monai_sfda.protocols import Evidence, PseudoLabel
from monai_sfda.pseudo.labeller import PseudoLabeller

__all__ = ["FitRefiners", "Fitted"]


@runtime_checkable
class Fitted(Protocol):
    """A refiner with numbers from the whole data set."""

    def study(self, pseudo: PseudoLabel, evidence: Evidence) -> None:
        """See one batch, as the refiners before this one left it."""

    def fit(self) -> None:
        """All batches were seen."""


class FitRefiners:
    """Before the first step, fit the refiners of a labeller one after the other, each in a pass over all images.

    Nothing is saved: a continued run fits again, with the same result where the observer says the same.

    Args:
        labeller: its refiners that have ``study`` and ``fit`` are fitted, in their order.

    Raises:
        ValueError: if it has no refiners.
    """

    def __init__(self, labeller: PseudoLabeller) -> None:
        if not hasattr(labeller, "refiners"):
            raise ValueError(
                f"Expected a labeller with refiners, found {type(labeller).__name__}; give the PseudoLabeller itself, "
                "not what stores its answers."
            )
        self.labeller = labeller

    @property
    def fits(self) -> list[Fitted]:
        """The refiners that it fits."""
        return [refiner for refiner in self.labeller.refiners if isinstance(refiner, Fitted)]

    def attach(self, engine: Engine) -> None:
        engine.add_event_handler(Events.STARTED, self)

    def __call__(self, engine: Any) -> None:
        refiners = self.labeller.refiners
        for index, refiner in enumerate(refiners):
            if isinstance(refiner, Fitted):
                before = PseudoLabeller(self.labeller.observe, refiners=refiners[:index])
                for evidence in engine.observe_all(self.labeller.observe):
                    refiner.study(before.refine(evidence), evidence)
                refiner.fit()
