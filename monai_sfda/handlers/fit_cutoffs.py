"""Fit the cut-off of each structure to held-out source images."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any

import torch
from ignite.engine import Engine, Events
from monai.engines.utils import IterationEvents
from torch import Tensor
from torch.nn.functional import one_hot

from monai_sfda.functional import check_head, decide, probabilities

__all__ = ["GRID", "FitCutoffs", "best_cutoff"]

GRID = tuple(round(0.05 * step, 2) for step in range(1, 20))
USUAL = 0.5
FEWEST = 5


def best_cutoff(dice: Tensor) -> float:
    """The cut-off of `GRID` that is nearest to 0.5 among those that are not clearly worse than the best one.

    A cut-off is clearly worse if its mean loss of Dice exceeds one standard error, so that the chance preference of a
    few images does not move a cut-off.

    Args:
        dice: (N, 19), of N images at each cut-off; images without a number are left out.

    Returns:
        The cut-off; 0.5 if there are fewer than five images. Two volumes that agreed moved one from 0.5 to 0.75, which
        cost 8 points of Dice on another sequence.
    """
    dice = dice[dice.isfinite().all(1)]
    if len(dice) < FEWEST:
        return USUAL
    best = int(dice.mean(0).argmax())
    loss = dice[:, best : best + 1] - dice
    as_good = loss.mean(0) <= loss.std(0) / len(dice) ** 0.5
    return min((cutoff for cutoff, good in zip(GRID, as_good, strict=True) if good), key=lambda t: abs(t - USUAL))


class FitCutoffs:
    """Find each structure's cut-off while an evaluator runs on labelled source images, and pass the result on.

    Each structure is cut at every value of `GRID`, the others at 0.5, and `best_cutoff` chooses. For a calibrated
    network the best cut-off for Dice is half of the Dice that can be reached (Lipton et al., ECML 2014), so a value
    below 0.5 is no sign of a fault. The parts of a volume, which have its case as ``volume`` in the batch, count as one
    image.

    Args:
        structures: name -> channel of the network's output.
        head: ``"sigmoid"`` or ``"softmax"``.
        write: called at the end with ``cutoff`` (name -> number), ``images`` (how many) and ``dice_by_cutoff`` (name ->
            cut-off as text -> mean Dice), such as a `functools.partial` of `monai_sfda.passport.write_passport`.

    Shape:
        the evaluator's ``pred`` are logits (B, K, *S), its ``label`` (B, K, *S) of 0 and 1, or (B, 1, *S) of class ids
        with a softmax head.
    """

    def __init__(self, structures: Mapping[str, int], write: Callable[..., Any], *, head: str = "sigmoid") -> None:
        self.structures, self.write, self.head = dict(structures), write, check_head(head)
        self._sums: dict[Hashable, Tensor] = {}

    def attach(self, engine: Engine) -> None:
        engine.add_event_handler(Events.STARTED, self.reset)
        engine.add_event_handler(IterationEvents.FORWARD_COMPLETED, self.update)
        engine.add_event_handler(Events.COMPLETED, self.finish)

    def reset(self) -> None:
        self._sums = {}

    @torch.no_grad()
    def update(self, engine: Any) -> None:
        """Count the pixels of a batch at every cut-off."""
        probs, label = (torch.as_tensor(engine.state.output[key]).cpu() for key in ("pred", "label"))
        probs, label = probabilities(probs, self.head), _channels(label, probs.shape[1])
        counts = []
        for channel in self.structures.values():
            reference = label[:, channel].flatten(1).bool()
            for cutoff in GRID:
                mask = decide(probs, self.head, self._only(channel, cutoff, probs.shape[1]))[:, channel].flatten(1)
                counts.append(torch.stack([(mask & reference).sum(1), mask.sum(1), reference.sum(1)], 1))
        of_each = torch.stack(counts, 1).double().unflatten(1, (len(self.structures), len(GRID)))
        first = len(self._sums)
        cases = getattr(engine.state, "batch", {}).get("volume", range(first, first + len(of_each)))
        for case, count in zip(cases, of_each, strict=True):
            self._sums[case] = self._sums.get(case, 0) + count

    @staticmethod
    def _only(channel: int, cutoff: float, channels: int) -> list[float]:
        return [cutoff if number == channel else USUAL for number in range(channels)]

    def finish(self) -> None:
        """Choose the cut-offs, and pass them on."""
        both, marked, reference = torch.stack(list(self._sums.values())).unbind(-1)
        dice = (2 * both / (marked + reference)).where(reference > 0, torch.nan)
        chosen = {name: best_cutoff(dice[:, at]) for at, name in enumerate(self.structures)}
        curves = {
            name: {f"{t:g}": round(float(mean), 4) for t, mean in zip(GRID, dice[:, at].nanmean(0), strict=True)}
            for at, name in enumerate(self.structures)
        }
        self.write(cutoff=chosen, images=len(dice), dice_by_cutoff=curves)


def _channels(label: Tensor, channels: int) -> Tensor:
    if label.shape[1] == channels:
        return label
    return one_hot(label[:, 0].long(), channels).movedim(-1, 1)
