"""The adaptation engine: observe, label, refine, forward, criterion, step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Sized
from typing import Any, TypeVar

import ignite.distributed as idist
import torch
from ignite.engine import Engine, Events
from monai.engines import Trainer
from monai.engines.utils import IterationEvents
from monai.utils import ensure_tuple
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils.data import DataLoader
from tqdm.auto import tqdm

from monai_sfda.engines.answers import check_answers, check_views, misfit_explained, warn_of_probabilities
from monai_sfda.engines.batch import check_cases, read_batch
from monai_sfda.engines.check import check_wiring
from monai_sfda.engines.step import minimise, to_device
from monai_sfda.networks.norm import track_stats
from monai_sfda.networks.tap import FeatureTap
from monai_sfda.precision import autocast, choose_precision
from monai_sfda.protocols import Criterion, Labeller, Views

__all__ = ["AdaptTrainer"]

Answer = TypeVar("Answer")


class AdaptTrainer(Trainer):
    """Adapt a source network to unlabelled images.

    One step: make two views, label the weak one, forward the strong one, compare, update. Whatever happens between
    steps (a teacher, refitted weights, schedules) is a handler.

    Args:
        device: where networks and batches live.
        max_epochs: passes over the images.
        train_data_loader: yields dictionaries with ``image`` (B, C, *S) and ``case`` (B identifiers; without them, the
            files that MONAI read the images from), never ``label``.
        network: (B, C, *S) -> logits (B, K, *S); the student.
        optimizer: over the parameters that adapt.
        criterion: reads what it needs of the step (``pred``, ``pseudo``, ``features``, ``case``, ...) by keyword.
        views: stored images -> (weak, strong); both the image itself by default.
        labeller: weak view -> pseudo-label; None for methods that need no labels.
        mode: how the student runs, applied before every step; train mode by default, as in the released methods.
        feature_layer: name of a submodule whose output becomes ``features`` of the step.
        train_handlers: handlers with ``attach``.
        precision: ``"float32"``, ``"bfloat16"`` or ``"auto"``; losses are always float32.
        adapted: what the run is to deliver, such as the network of a teacher; the student by default.

    Raises:
        ValueError: if the parts do not fit each other, see `check_wiring`.
    """

    def __init__(
        self,
        *,
        device: torch.device | str,
        max_epochs: int,
        train_data_loader: DataLoader,
        network: nn.Module,
        optimizer: Optimizer,
        criterion: Criterion,
        views: Views = lambda image: (image, image),
        labeller: Labeller | None = None,
        mode: Callable[[nn.Module], object] = track_stats,
        feature_layer: str | None = None,
        train_handlers: Sequence[Any] = (),
        precision: str = "float32",
        adapted: nn.Module | None = None,
    ) -> None:
        self.network, self.optimizer, self.criterion = network, optimizer, criterion
        self.views, self.labeller, self.mode = views, labeller, mode
        self.precision = choose_precision(precision, device)
        self.adapted = network if adapted is None else adapted
        self.tap = FeatureTap(network, feature_layer) if feature_layer else None
        check_wiring(
            device=torch.device(device), network=network, optimizer=optimizer, adapted=adapted,
            handlers=ensure_tuple(train_handlers), feature_layer=feature_layer,
            users={"labeller": labeller, "criterion": criterion, "views": views, "mode": mode},
        )  # fmt: skip
        check_cases(train_data_loader)
        super().__init__(
            device=device,
            max_epochs=max_epochs,
            data_loader=train_data_loader,
            handlers=train_handlers,
            decollate=False,
        )

    def run(self) -> None:  # type: ignore[override] # as MONAI's own engines
        """Run what is left of ``max_epochs``; nothing for a run that was already complete when it was resumed.

        Raises:
            ValueError: if the data loader is empty, or at the first step if what the parts give does not fit.
        """
        if isinstance(self.data_loader, Sized) and not len(self.data_loader):
            raise ValueError("Expected images to adapt to, found an empty data loader; correct what lists the images.")
        if self.state.epoch < self.state.max_epochs:
            super().run()

    def _iteration(self, engine: Engine, batch: dict[str, Any]) -> dict[str, Any]:
        image, case = self._unlabelled(batch)
        self.mode(self.network)
        step: dict[str, Any] = {"image": image, "case": case}
        with autocast(self.state.device, self.precision):
            step["weak"], step["strong"] = self._views(image)
        with autocast(self.state.device, self.precision), misfit_explained(self.network, image):
            if self.labeller is not None:
                step["pseudo"] = self.labeller(step["weak"], case)
                # PyTorch 2.10 gives the student the weights that it cast for the labeller, which have no graph.
                torch.clear_autocast_cache()
            step["pred"] = self.network(step["strong"])
        check_answers(**step)
        if self.state.iteration == 1:
            warn_of_probabilities(step["pred"])
        if self.tap is not None:
            step["features"] = self.tap.output
        engine.fire_event(IterationEvents.FORWARD_COMPLETED)
        loss = self.criterion(**step)
        engine.fire_event(IterationEvents.LOSS_COMPLETED)
        value = minimise(
            loss,
            network=self.network,
            optimizer=self.optimizer,
            step=step,
            state=self.state,
            fire=engine.fire_event,
        )
        return {"loss": value, "pred": step["pred"].detach(), "case": case}

    def observe_all(self, ask: Callable[[Tensor, Sequence[str]], Answer]) -> Iterator[Answer]:
        """What an observer (or a labeller) says of the weak view of every image; for use between steps.

        The student is in evaluation mode. The images come in the batches of the data loader, which before the first
        epoch are those of epoch 0; each fires ``GET_BATCH_COMPLETED``, as those of a step do.
        """
        self.network.eval()
        for batch in tqdm(self.data_loader, "looking", unit="batch", leave=False, disable=idist.get_rank() > 0):
            self.fire_event(Events.GET_BATCH_COMPLETED)
            image, case = self._unlabelled(batch)
            with torch.no_grad(), autocast(self.state.device, self.precision):
                weak = self._views(image)[0]
                with misfit_explained(self.network, image):
                    answer = ask(weak, case)
            yield answer

    def _views(self, image: Tensor) -> tuple[Tensor, Tensor]:
        return check_views(self.views(image), image)

    def _unlabelled(self, batch: dict[str, Any]) -> tuple[Tensor, list[str]]:
        image, case = read_batch(batch)
        return to_device(image, self.state.device), case
