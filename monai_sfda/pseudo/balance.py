"""The class-balance weight of CBMT, Eq. (3) to (5), from running sums instead of a bank of probability maps."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import ignite.distributed as idist
import torch
from ignite.engine import Engine, Events
from torch import Tensor

from monai_sfda.functional import Cutoff, check_cutoff, check_head, per_channel
from monai_sfda.protocols import Evidence, Observer, PseudoLabel

__all__ = ["BalanceBackground", "WeighBackground", "uncertain_sums"]

logger = logging.getLogger(__name__)


def uncertain_sums(probs: Tensor, *, cutoff: float | Tensor, margin: float) -> Tensor:
    r"""Loss sums and counts of the uncertain pixels on both sides of the cut-off.

    With :math:`lo = \gamma\alpha` and :math:`hi = 1 - (1 - \gamma)\alpha` (cut-off :math:`\gamma`, margin
    :math:`\alpha`) background is :math:`lo < p < \gamma` with loss :math:`-\log(1 - p)`, foreground
    :math:`\gamma < p < hi` with loss :math:`-\log p`; all inequalities strict, so that margin 0 keeps every pixel
    but :math:`p \in \{0, \gamma, 1\}`.

    Departs: the inequality printed in the paper would keep the confident pixels; this is what the code keeps.

    Args:
        probs: (..., S) in [0, 1]; the sums run over the last dimension.
        cutoff: a number, or a tensor that is set against ``probs``.
        margin: in [0, 1).

    Returns:
        (..., 4) float64: background loss sum, background count, foreground loss sum, foreground count.
    """
    # Eq. (3) to (5) of CBMT: the uncertain pixels and their losses; `BalanceBackground.refit` takes the ratio
    low, high = cutoff * margin, 1 - (1 - cutoff) * margin
    background = (probs > low) & (probs < cutoff)
    foreground = (probs > cutoff) & (probs < high)
    # -log of a probability that is 1 elsewhere: pixels outside a set add nothing.
    loss_background = -torch.log1p(-torch.where(background, probs, 0.0))
    loss_foreground = -torch.log(torch.where(foreground, probs, 1.0))
    return torch.stack([x.sum(-1).double() for x in (loss_background, background, loss_foreground, foreground)], -1)


class WeighBackground:
    """Refiner: multiply the weight of pixels labelled 0 in chosen channels by a constant.

    The control of `BalanceBackground`, whose weight is close to 0.24 whatever the data (for a flat histogram of
    probabilities 0.253 with the published margin): what a method gains beyond this, the estimate gains.

    Args:
        channels: channels whose background is weighted.
        weights: a factor for each of them.
        head: with ``"softmax"`` all channels answer one question, so a pixel weighs the same in each: the product of
            the factors of the ``channels`` in which it is labelled 0. Two classes have the same loss in both channels;
            a factor in one of them alone would count half.
    """

    def __init__(self, *, channels: Sequence[int], weights: Sequence[float], head: str = "sigmoid") -> None:
        if not channels or len(weights) != len(channels) or min(weights) < 0:
            raise ValueError(f"Expected channels, and a factor of at least 0 for each, found {channels} and {weights}.")
        self.channels, self.weights, self.head = list(channels), list(weights), check_head(head)

    def __call__(self, pseudo: PseudoLabel, evidence: Evidence) -> PseudoLabel:
        _check_channels(self.channels, pseudo.label)
        scale = torch.ones(pseudo.label.shape[1], device=pseudo.label.device)
        scale[self.channels] = torch.tensor(self.weights, dtype=scale.dtype, device=scale.device)
        scale = scale.view(1, -1, *[1] * (pseudo.label.ndim - 2))
        factor = torch.where(pseudo.label == 0, scale, 1)
        if self.head == "softmax":
            factor = factor.prod(1, keepdim=True)
        return pseudo._replace(weight=pseudo.weight * factor)


class BalanceBackground(WeighBackground):
    r"""Weight the background of chosen channels by the ratio of mean losses of the uncertain pixels.

    .. math:: w = \bar\ell_{fg} / \bar\ell_{bg}

    over the latest prediction of every image (Tang et al., MICCAI 2023, Eq. (3) to (5)), refitted once at the start of
    every epoch. Four sums are kept for each image and channel, so memory does not grow with the size of the images; the
    weight is the same as from stored maps. As a refiner it multiplies the weight of pixels labelled 0; as a handler it
    looks at all images once (``first_look``, the source network in evaluation mode) and refits the weight.

    Departs: the paper weights every class, the released code only the cup, which is the default recipe; ``channels``
    says which. Where no pixel is uncertain on one side the released code divides by zero; here w = 1, with a warning.
    With a softmax head `Threshold` leaves pixels without a likely class out of the loss, but they count as uncertain
    here as they do under sigmoid: the sets are those of the paper.

    Args:
        channels, head: as in `WeighBackground`.
        first_look: observer for the pass before the first step.
        cutoff: the labels' cut-off, in (0, 1), or one for each channel of the network.
        margin: share of the way from the cut-off to 0 and to 1 that is left out at the far end, in [0, 1).
    """

    def __init__(
        self,
        *,
        channels: Sequence[int],
        first_look: Observer,
        cutoff: Cutoff = 0.75,
        margin: float = 0.2,
        head: str = "sigmoid",
    ) -> None:
        check_cutoff(cutoff)
        if not 0 <= margin < 1:
            raise ValueError(f"Expected 0 <= margin < 1, found {margin}.")
        super().__init__(channels=channels, weights=[1.0] * len(channels), head=head)
        self.first_look, self.cutoff, self.margin = first_look, cutoff, margin
        self.sums: dict[str, Tensor] = {}
        self._news: dict[str, Tensor] = {}

    def attach(self, engine: Engine) -> None:
        engine.add_event_handler(Events.STARTED, self.look_once)
        engine.add_event_handler(Events.EPOCH_STARTED, self.refit)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self.share)

    def look_once(self, engine: Any) -> None:
        """Remember what ``first_look`` says of every image, unless a resumed run already knows."""
        if not self.sums:
            for evidence in engine.observe_all(self.first_look):
                self.remember(evidence)
            self.share()
            self.refit()  # for labels that are asked for before the first epoch

    def remember(self, evidence: Evidence) -> None:
        """Replace the sums of the observed images."""
        _check_channels(self.channels, evidence.probs)
        limits = per_channel(self.cutoff, evidence.probs).expand(evidence.probs.shape[1:])[self.channels]
        maps = evidence.probs[:, self.channels].flatten(2)
        sums = uncertain_sums(maps, cutoff=limits.flatten(1), margin=self.margin).cpu()
        self._news.update(zip(evidence.case, sums, strict=True))
        self.sums.update(self._news)

    def share(self) -> None:
        """Tell the other processes what this one saw: an image may be another process's in the next epoch."""
        if idist.get_world_size() > 1:
            everyone: list = [None] * idist.get_world_size()
            torch.distributed.all_gather_object(everyone, self._news)
            for news in everyone:
                self.sums.update(news)
        self._news = {}

    def refit(self) -> None:
        """Compute the weights from all images."""
        total = torch.stack(list(self.sums.values())).sum(0) if self.sums else torch.zeros(len(self.channels), 4)
        for index, (channel, sums) in enumerate(zip(self.channels, total, strict=True)):
            loss_background, background, loss_foreground, foreground = sums.tolist()
            if not (background and foreground):
                side = "below" if not background else "above"
                logger.warning("No uncertain pixel %s the cut-off in channel %d: its weight is 1.", side, channel)
                self.weights[index] = 1.0
            else:
                # Eq. (3) to (5): ratio of the mean losses
                self.weights[index] = (loss_foreground / foreground) / (loss_background / background)

    def __call__(self, pseudo: PseudoLabel, evidence: Evidence) -> PseudoLabel:
        self.remember(evidence)
        return super().__call__(pseudo, evidence)

    def columns(self, names: Mapping[str, int]) -> dict[str, Callable[[], float]]:
        """Columns of a history: the weight of each balanced channel, by the name that ``names`` gives it."""
        return {
            f"balance_weight_{name}": partial(self.weights.__getitem__, self.channels.index(channel))
            for name, channel in names.items()
            if channel in self.channels
        }

    def state_dict(self) -> dict:
        return {"sums": self.sums, "weights": self.weights}

    def load_state_dict(self, state: dict) -> None:
        self.sums, self.weights[:] = dict(state["sums"]), state["weights"]


def _check_channels(channels: Sequence[int], maps: Tensor) -> None:
    """Raises ValueError: if a channel is none of those of maps (B, K, *S)."""
    if not set(channels) <= set(range(maps.shape[1])):
        raise ValueError(f"Expected channels below {maps.shape[1]} to balance, found {channels}; choose such channels.")
