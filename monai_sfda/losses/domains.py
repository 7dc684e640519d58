"""Adversarial losses: tell source from target, and be taken for source."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from monai_sfda.precision import autocast

__all__ = ["Domains", "Fool"]

Shows = Callable[..., Tensor]


class Domains:
    """Binary cross-entropy of a discriminator that tells source from target.

    AdvEnt (Vu et al., CVPR 2019), as in the released code: source is 0, target 1, and each half counts half. BEAL (Wang
    et al., MICCAI 2019) has source 1, target 0 and the sum of both.

    Args:
        shows: stream -> (B, M, *S), what the discriminator sees, such as `SelfInformation`; it takes what it needs of
            the stream by keyword.
        source: label of the source, 0 or 1; the target has the other one.
        halved: whether the two halves are averaged, or summed.
        precision: in which the discriminator computes, ``"float32"``, ``"bfloat16"`` or ``"auto"``; its logits and the
            cross-entropy are float32.

    Raises:
        ValueError: if ``source`` is neither 0 nor 1.
    """

    def __init__(self, shows: Shows, *, source: int = 0, halved: bool = True, precision: str = "float32") -> None:
        if source not in (0, 1):
            raise ValueError(f"Expected 0 or 1 as the label of the source, found {source!r}; the target has the other.")
        self.shows, self.source, self.halved, self.precision = shows, source, halved, precision

    def tell(self, discriminator: nn.Module, *, source: Mapping[str, Any], target: Mapping[str, Any]) -> Tensor:
        """What the discriminator minimises, (); no gradient reaches the network that made the streams."""
        parts = [
            _cross_entropy(self._ask(discriminator, self.shows(**stream).detach()), label)
            for stream, label in ((source, self.source), (target, 1 - self.source))
        ]
        return torch.stack(parts).mean() if self.halved else torch.stack(parts).sum()

    def fool(self, discriminator: nn.Module, **target: Any) -> Tensor:
        """What its opponent minimises, (): the target is to be taken for source; the discriminator gets no gradient."""
        with _frozen(discriminator):
            return _cross_entropy(self._ask(discriminator, self.shows(**target)), self.source)

    def _ask(self, discriminator: nn.Module, maps: Tensor) -> Tensor:
        with autocast(maps.device, self.precision):
            return discriminator(maps).float()


class _Opponent(Protocol):
    network: nn.Module
    criterion: Domains


class Fool:
    """The adversarial loss of the network that adapts, see `Domains.fool`; use it as ``On("target", Fool(adversary))``.

    Args:
        adversary: with ``network``, the discriminator, and ``criterion``, a `Domains`.
    """

    def __init__(self, adversary: _Opponent) -> None:
        self.adversary = adversary

    def __call__(self, **stream: Any) -> Tensor:
        return self.adversary.criterion.fool(self.adversary.network, **stream)


def _cross_entropy(logits: Tensor, label: float) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))


@contextmanager
def _frozen(network: nn.Module) -> Iterator[None]:
    """A graph that is made inside does not lead to the parameters."""
    learning = [parameter for parameter in network.parameters() if parameter.requires_grad]
    try:
        for parameter in learning:
            parameter.requires_grad_(False)
        yield
    finally:
        for parameter in learning:
            parameter.requires_grad_(True)
