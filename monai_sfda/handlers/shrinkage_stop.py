"""Stop a run that erodes structures."""

from __future__ import annotations

import logging
from typing import Any

import ignite.distributed as idist
from ignite.engine import Engine, Events
from torch import Tensor, nn

from monai_sfda.digits import in_digits
from monai_sfda.handlers.history import History

__all__ = ["ShrinkageStop"]

logger = logging.getLogger(__name__)


class ShrinkageStop:
    """Stop when a structure covers much less than in the first epoch, and give back the weights of the epoch before.

    A rule without labels against the known drift of pseudo-labelling, whose labels above 0.75 take a little from the
    rim of a structure in every step: Tang et al., MICCAI 2023, report 84.68 % Dice for its best epoch and 64.19 for
    its last. It sees shrinkage alone: a structure that grows is left to the verdict.

    Attach it after ``history`` and before what saves the run.

    Args:
        network: what the run is going to deliver.
        history: its rows hold the share of pixels of each structure in every epoch.
        floor: share of the first epoch's pixels, in (0, 1), below which a structure counts as worn away; 0.8 is the
            verdict's limit on shrinkage.

    Raises:
        ValueError: if ``floor`` is not between 0 and 1.
    """

    def __init__(self, network: nn.Module, *, history: History, floor: float = 0.8) -> None:
        if not 0 < floor < 1:
            raise ValueError(f"Expected a floor between 0 and 1, found {floor}; 0.8 allows a loss of a fifth.")
        self.network, self.history, self.floor = network, history, floor
        self.stopped = False
        self._good: dict[str, Tensor] = {}

    def attach(self, engine: Engine) -> None:
        engine.add_event_handler(Events.STARTED, self.start)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self.check)

    def start(self, engine: Engine) -> None:
        """A run that had stopped before it was interrupted does not go on."""
        if self.stopped:
            engine.terminate()

    def check(self, engine: Engine) -> None:
        first, last = self.history.rows[0], self.history.rows[-1]
        left = {name: last[name] / first[name] for name in first if name.startswith("foreground_") and first[name]}
        lowest = min(left, key=left.__getitem__, default=None)
        shrunk = lowest is not None and left[lowest] < self.floor
        self.stopped = bool(idist.broadcast(float(shrunk)))  # processes see different images, and stop together
        if not self.stopped:
            self._good = {name: tensor.detach().cpu().clone() for name, tensor in self.network.state_dict().items()}
            return
        self.network.load_state_dict(self._good)
        engine.terminate()
        if lowest is not None:
            logger.warning(
                "Stopped after epoch %d, with the weights of the epoch before: %s covers %s of the pixels that it "
                "covered in the first (floor %g).",
                engine.state.epoch, lowest.removeprefix("foreground_"),
                in_digits(left[lowest], 2, limits=[self.floor], kind="f"), self.floor,
            )  # fmt: skip

    def state_dict(self) -> dict[str, Any]:
        return {"stopped": self.stopped, "good": self._good}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.stopped, self._good = state["stopped"], state["good"]
