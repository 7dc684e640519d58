"""Test-time adaptation: each batch improves the network that segments it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from monai.inferers import Inferer
from torch import Tensor, nn
from torch.optim import Optimizer

from monai_sfda.networks.norm import learn_norm_affine, track_stats_without_dropout
from monai_sfda.precision import autocast, channels_last
from monai_sfda.protocols import Criterion

__all__ = ["TentInferer"]

logger = logging.getLogger(__name__)


class TentInferer(Inferer):
    """TENT: normalise a batch with its own statistics, return its logits, and take a step to lower their entropy.

    TENT (Wang et al., ICLR 2021): only scale and offset of batch norm learn. As released, the logits returned are those
    computed before the last step. The network is changed in place, and what it learns stays (continual) unless
    ``episodic``; its modes are given back after each call, so ``network.eval()`` keeps working with running statistics
    that follow the batches.
    # Departs: the released code leaves dropout on, its networks having none to speak of; here it is off, for a
    # segmentation network would return logits with half of its features missing.

    Args:
        criterion: called with ``image`` and ``pred``; ``monai_sfda.losses.EntropyLoss``.
        optimizer: parameters -> optimiser; Adam with rate 1e-3 by default, as released.
        steps: steps per batch, >= 1.
        episodic: forget what was learnt before each batch.
        precision: ``"auto"`` (probe this machine), ``"bfloat16"`` or ``"float32"``.

    Raises:
        ValueError: on the first batch, if the network has no batch norm or other normalisation as well.
    """

    def __init__(
        self,
        criterion: Criterion,
        *,
        optimizer: Callable[[list[nn.Parameter]], Optimizer] = partial(torch.optim.Adam, lr=1e-3),  # noqa: B008
        steps: int = 1,
        episodic: bool = False,
        precision: str = "auto",
    ) -> None:
        super().__init__()
        if steps < 1:
            raise ValueError(
                f"Expected at least 1 step per batch, found {steps}; use FastInferer to predict without adapting."
            )
        self.criterion, self.make_optimizer, self.steps = criterion, optimizer, steps
        self.episodic, self.precision = episodic, precision
        self.network: nn.Module | None = None

    def __call__(self, inputs: Tensor, network: Callable[..., Tensor], *args: Any, **kwargs: Any) -> Tensor:
        self._start(network)
        assert self.network is not None
        modes = {module: module.training for module in self.network.modules()}
        track_stats_without_dropout(self.network)
        try:
            with torch.inference_mode(False), torch.enable_grad():
                return self._adapt(inputs.clone() if inputs.is_inference() else inputs, *args, **kwargs)
        finally:
            for module, training in modes.items():
                module.training = training

    def reset(self) -> None:
        """Give the network back the weights and statistics that it came with, and forget the optimiser's memory."""
        if self.network is not None:
            self.network.load_state_dict(self._source)
            self._make_optimizer()

    def _start(self, network: object) -> None:
        if network is self.network:
            if self.episodic:
                self.reset()
            return
        if not isinstance(network, nn.Module):
            raise ValueError(f"Expected a torch.nn.Module to adapt, found a {type(network).__name__}.")
        self.network = learn_norm_affine(network)
        self._source = {name: tensor.clone() for name, tensor in network.state_dict().items()}
        self._make_optimizer()

    def _make_optimizer(self) -> None:
        assert self.network is not None
        self._optimizer = self.make_optimizer([p for p in self.network.parameters() if p.requires_grad])

    def _adapt(self, inputs: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        assert self.network is not None
        inputs = channels_last(inputs)
        for _ in range(self.steps):
            before = {name: buffer.clone() for name, buffer in self.network.named_buffers()}
            with autocast(inputs.device, self.precision):
                logits = self.network(inputs, *args, **kwargs).float()
            loss = self.criterion(image=inputs, pred=logits)
            if not loss.isfinite():
                logger.warning(
                    "Expected a finite loss, found %s; nothing is learned from this batch.", float(loss.detach())
                )
                self.network.load_state_dict(before, strict=False)  # its statistics would stay in the running ones
                break
            self._optimizer.zero_grad(set_to_none=True)
            loss.backward()
            self._optimizer.step()
        return logits.detach()
