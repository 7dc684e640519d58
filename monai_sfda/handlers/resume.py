"""Save a run after every epoch and continue it."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import ignite.distributed as idist
import torch
from ignite.engine import Engine, Events
from torch import nn

from monai_sfda.files import save_tensors, whole_file

__all__ = ["Resume"]

logger = logging.getLogger(__name__)


class Resume:
    """Keep one checkpoint of everything that changes; on attach, continue from it if it is there.

    The file is written beside its final name and moved into place, so a run killed at any moment leaves either the old
    or the new checkpoint. It is read with ``weights_only=True``.

    Args:
        path: checkpoint file, for example ``DIR/checkpoints/latest.pt``.
        objects: name -> object with ``state_dict`` and ``load_state_dict``.
        settings: plain values, also nested, that must be the same for a run to be continued.
    """

    def __init__(self, path: str | os.PathLike, *, objects: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
        self.path, self.objects, self.settings = Path(path), dict(objects), dict(settings)

    def attach(self, engine: Engine) -> None:
        if self.path.exists():
            self.load(engine)
        if idist.get_rank() == 0:
            engine.add_event_handler(Events.EPOCH_COMPLETED, self.save)

    def save(self, engine: Engine) -> None:
        """Raises FloatingPointError: in place of saving a network whose weights are not finite."""
        state = {name: item.state_dict() for name, item in self.objects.items()}
        networks = [item for item in self.objects.values() if isinstance(item, nn.Module)]
        tensors = [pair for network in networks for pair in network.state_dict().items()]
        if broken := [name for name, tensor in tensors if not tensor.isfinite().all()]:
            raise FloatingPointError(_not_finite(broken[0], engine.state.epoch))
        progress = {"epoch": engine.state.epoch, "iteration": engine.state.iteration}
        with whole_file(self.path) as draft:
            save_tensors({"settings": self.settings, "progress": progress, **state}, draft)

    def load(self, engine: Engine) -> None:
        """Raises ValueError: if the checkpoint is damaged, or belongs to a run with other settings or parts."""
        try:
            state = torch.load(self.path, map_location="cpu", weights_only=True)
        except Exception as error:  # torch raises many types for damaged files
            raise ValueError(
                f"Expected the checkpoint of an unfinished run in {self.path}, found a damaged file; delete it to "
                "start anew."
            ) from error
        known = state.get("settings") if isinstance(state, Mapping) else None
        if not isinstance(known, Mapping):
            raise ValueError(
                f"Expected the checkpoint of an unfinished run in {self.path}, found a file of another kind; move it "
                "away or delete it, or choose another output."
            )
        now, then = dict(_leaves(self.settings)), dict(_leaves(known))
        changed = [key for key in then | now if now.get(key) != then.get(key)]
        if changed:
            what = ", ".join(f"{key}={then.get(key)!r} (now {now.get(key)!r})" for key in changed[:5])
            raise ValueError(
                f"Expected the settings of the unfinished run in {self.path.parent.parent.name}: {what}; "
                "repeat them to continue it, or choose another output folder to start anew."
            )
        if missing := [name for name in (*self.objects, "progress") if name not in state]:
            raise ValueError(
                f"Expected the checkpoint of an unfinished run in {self.path}, found one without {', '.join(missing)}; "
                "delete it to start anew."
            )
        for name, item in self.objects.items():
            try:
                item.load_state_dict(state[name])
            except (RuntimeError, ValueError, KeyError, TypeError) as error:
                reason = str(error).strip().split("\n")[0]
                raise ValueError(
                    f"Expected the state of {name!r} in {self.path}, found one that does not fit ({reason}); continue "
                    "with the same parts, or choose another output folder to start anew."
                ) from error
        engine.state.epoch, engine.state.iteration = state["progress"]["epoch"], state["progress"]["iteration"]
        logger.info("Continuing after epoch %d.", engine.state.epoch)


def _not_finite(name: str, epoch: int) -> str:
    good = f"those of epoch {epoch - 1} are in the checkpoint" if epoch > 1 else "none were saved"
    slower = "try a smaller learning rate, into another output folder"
    statistics = f"look for images far out of range, or {slower}"
    remedy = statistics if name.endswith(("running_mean", "running_var")) else slower
    return f"Expected finite weights, found others in {name} after epoch {epoch}; {good}; {remedy}."


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Names, joined by dots, and values of what is not a dictionary or a list of dictionaries."""
    if isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
        value = dict(enumerate(value))
    if not isinstance(value, Mapping):
        yield name, value
        return
    for key, item in value.items():
        yield from _leaves(item, f"{name}.{key}" if name else str(key))
