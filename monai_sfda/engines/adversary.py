"""A second player: a discriminator, its optimizer, and what it minimises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from monai_sfda.engines.parts import is_network, parts_of, same_network

__all__ = ["Adversary", "check_adversaries"]


class TellsDomains(Protocol):
    """A loss of a discriminator, such as `monai_sfda.losses.Domains`."""

    def tell(self, discriminator: nn.Module, *, source: Mapping[str, Any], target: Mapping[str, Any]) -> Tensor: ...


class Adversary:
    """A discriminator that `UdaTrainer` shows source and target after each step of the network, and then updates.

    Args:
        network: the discriminator; always in train mode, as released.
        optimizer: over its parameters.
        criterion: what it minimises, such as `monai_sfda.losses.Domains`.
    """

    def __init__(self, network: nn.Module, optimizer: Optimizer, criterion: TellsDomains) -> None:
        self.network, self.optimizer, self.criterion = network, optimizer, criterion
        self._sum, self._steps = 0.0, 0

    def loss(self, step: Mapping[str, Mapping[str, Any]]) -> Tensor:
        """() of a step with ``source`` and ``target``."""
        self.network.train()
        return self.criterion.tell(self.network, source=step["source"], target=step["target"])

    def note(self, loss: float) -> None:
        """Remember the loss of a step for the history."""
        self._sum, self._steps = self._sum + loss, self._steps + 1

    def take_mean(self) -> float:
        """Mean loss since this was last asked; NaN where there was no step."""
        total, steps = self._sum, self._steps
        self._sum, self._steps = 0.0, 0
        return total / steps if steps else float("nan")

    def parts(self, name: str) -> dict[str, Any]:
        """What a run needs to continue, by name."""
        return {f"adversary_{name}": self.network, f"adversary_{name}_optimizer": self.optimizer}


def check_adversaries(
    adversaries: Sequence[Any], *, network: nn.Module, criterion: object, device: torch.device
) -> None:
    """Refuse adversaries that do not fit.

    Args:
        adversaries: of the engine.
        network: that adapts.
        criterion: of the network.
        device: of the engine.

    Raises:
        ValueError: if one is none, its optimizer moves another network, it is on another device, or the criterion is to
            fool one that the engine does not train.
    """
    for adversary in adversaries:
        if not isinstance(adversary, Adversary):
            raise ValueError(
                f"Expected adversaries of the class Adversary, found a {type(adversary).__name__}; give "
                "Adversary(network, optimizer, criterion)."
            )
        own = {id(parameter) for parameter in adversary.network.parameters()}
        moved = [parameter for group in adversary.optimizer.param_groups for parameter in group["params"]]
        if same_network(adversary.network, network) or {id(parameter) for parameter in moved} != own:
            raise ValueError(
                "Expected an optimizer over the parameters of the discriminator, all of them and no others, found "
                "one of another network or of a part; make it from the parameters of the network of its Adversary."
            )
        found = next(adversary.network.parameters()).device if is_network(adversary.network) else device
        if found.type != device.type:
            raise ValueError(
                f"Expected the discriminator on the device of the engine, {device}, found it on {found}; move it there "
                f"with .to({str(device)!r})."
            )
    for part in parts_of(criterion):
        if isinstance(part, Adversary) and not any(part is adversary for adversary in adversaries):
            raise ValueError(
                "Expected the adversary that the criterion fools among adversaries of the engine, found it missing: it "
                "would never learn; add it to adversaries."
            )
