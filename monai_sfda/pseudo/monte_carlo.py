"""Mean and spread of a network's predictions over several stochastic passes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy

import torch
from torch import Tensor, nn

from monai_sfda.functional import check_head, probabilities
from monai_sfda.networks.layers import check_feature_layer
from monai_sfda.networks.tap import FeatureTap
from monai_sfda.protocols import Evidence

__all__ = ["MonteCarlo"]


class MonteCarlo:
    """Mean, spread and mean features over passes with dropout, as in the code of DPL (Chen et al., MICCAI 2021).

    ``probs`` is the mean of the probabilities, ``spread`` the unbiased standard deviation of the probabilities at a
    temperature, ``features`` the mean output of a layer. The passes are of a copy made at construction, so the network
    itself stays as it is to the bit.

    Departs: the paper has no temperature; ``temperature=1`` follows it. With 2 the spread is smaller where the network
    is undecided and larger where it is confident.

    Args:
        network: (B, C, *S) -> logits (B, K, *S).
        passes: K of the paper, at least 2.
        temperature: divides the logits for the spread only, > 0.
        mode: how the copy runs; batch statistics and dropout (train mode) as released.
        layer: name of a submodule for ``features``, such as "decoder.feature"; None for no features.
        head: ``"sigmoid"`` or ``"softmax"``.

    Raises:
        ValueError: if a value is out of range, or ``layer`` gives no features.
    """

    def __init__(
        self,
        network: nn.Module,
        *,
        passes: int = 10,
        temperature: float = 2.0,
        mode: Callable[[nn.Module], object] = nn.Module.train,
        layer: str | None = None,
        head: str = "sigmoid",
    ) -> None:
        if passes < 2:
            raise ValueError(f"Expected at least 2 passes for a standard deviation, found {passes}; 10 as published.")
        if not temperature > 0:
            raise ValueError(f"Expected a temperature > 0, found {temperature}; 2 as released, 1 as in the paper.")
        self.network = deepcopy(network).requires_grad_(False)
        self.passes, self.temperature, self.mode, self.layer = passes, temperature, mode, layer
        self.head = check_head(head)
        self._tap = FeatureTap(self.network, layer) if layer else None
        if layer:
            check_feature_layer(self.network, layer)

    @torch.no_grad()
    def __call__(self, image: Tensor, case: Sequence[str]) -> Evidence:
        """Raises ValueError: if all passes agree to the bit, because nothing in the network is random.

        Departs: the released code would go on, with every pixel certain.
        """
        self.mode(self.network)
        probs, softened, features = Running(), Running(), Running()
        for _ in range(self.passes):
            logits = self.network(image).float()
            probs.add(probabilities(logits, self.head))
            softened.add(probabilities(logits / self.temperature, self.head))
            if self._tap is not None:
                features.add(self._tap.output.float())
        spread = softened.std()
        must_differ(spread, self.network, self.passes)
        return Evidence(case, probs.mean, spread, features.mean if self._tap is not None else None)


def must_differ(spread: Tensor, network: nn.Module, passes: int) -> None:
    """Raises ValueError: if no pixel has a spread."""
    if not spread.any():
        raise ValueError(
            f"Expected passes of {type(network).__name__} that differ, found {passes} equal ones; "
            "give it dropout and a mode in which that is on (track_stats), or use a method without uncertainty."
        )


class Running:
    """Mean and standard deviation of tensors that come one by one (Welford's recursion)."""

    def __init__(self) -> None:
        self.count, self.mean, self.squares = 0, torch.zeros(()), torch.zeros(())

    def add(self, value: Tensor) -> None:
        self.count += 1
        difference = value - self.mean.to(value.device)
        self.mean = self.mean.to(value.device) + difference / self.count
        self.squares = self.squares.to(value.device) + difference * (value - self.mean)

    def std(self) -> Tensor:
        """Unbiased: divided by the count less one."""
        return (self.squares / (self.count - 1)).clamp(min=0).sqrt()
