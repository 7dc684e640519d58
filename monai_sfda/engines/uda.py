"""The second engine, for methods that have the labelled source at hand: source and target in every step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import ignite.distributed as idist
import torch
from ignite.engine import Engine
from monai.engines import Trainer
from monai.engines.utils import IterationEvents
from monai.utils import ensure_tuple
from torch import Tensor, nn
from torch.optim import Optimizer
from tqdm.auto import tqdm

from monai_sfda.engines.adversary import Adversary, check_adversaries
from monai_sfda.engines.answers import check_answers, check_views, misfit_explained, warn_of_probabilities
from monai_sfda.engines.batch import check_cases, read_batch, read_images
from monai_sfda.engines.check import check_wiring
from monai_sfda.engines.labelled import check_labels, check_same_images, read_labels
from monai_sfda.engines.step import minimise, to_device
from monai_sfda.networks.norm import track_stats
from monai_sfda.networks.tap import FeatureTap
from monai_sfda.precision import autocast, choose_precision
from monai_sfda.protocols import Criterion, PseudoLabel, Views

__all__ = ["UdaTrainer"]


class UdaTrainer(Trainer):
    """Adapt a network to unlabelled images with labelled source images at hand. This is not source-free.

    One step: forward source and target, remember, criterion, update; then show both to each adversary and update it.
    The adversaries see what the network gave before its update, and are updated in their order. Each stream is a
    dictionary with ``image``, ``case``, ``weak``, ``strong``, ``pred`` (logits of the strong view) and an entry for
    each of ``layers``; the source also has ``label`` (B, K, *S) and ``pseudo``, the label with weight 1, so that every
    loss works on it.

    Args:
        device: where networks and batches live.
        max_epochs: of ``train_data_loader``, in which an epoch need not be a pass over either stream.
        train_data_loader: yields dictionaries with a batch ``source`` (``image``, ``case`` and ``label`` (B, K, *S) of
            0 and 1) and a batch ``target`` (``image`` and ``case``, never ``label``), see `TwoStreams`.
        network: (B, C, *S) -> logits (B, K, *S).
        optimizer: over its parameters, and those of heads in ``layers``.
        criterion: takes ``source`` and ``target`` by keyword, such as a `WeightedSum` of `On`.
        layers: name in the streams -> name of a layer of the network, or a `monai_sfda.networks.Head`.
        remember: called with ``source`` and ``target`` before the criterion, such as `PrototypeBank`.
        adversaries: updated after the network, each with its own optimizer.
        views: stored images -> (weak, strong), of both streams.
        mode: how the network runs, applied before every step.
        train_handlers: handlers with ``attach``.
        precision: ``"float32"``, ``"bfloat16"`` or ``"auto"``; losses are always float32, adversaries as
            their `Domains` says.
        adapted: what the run is to deliver; the network by default.

    Raises:
        ValueError: if the parts do not fit each other, see `check_wiring` and `check_adversaries`, or if it is one of
            several processes.
    """

    def __init__(
        self,
        *,
        device: torch.device | str,
        max_epochs: int,
        train_data_loader: Any,
        network: nn.Module,
        optimizer: Optimizer,
        criterion: Criterion,
        layers: Mapping[str, Any] | None = None,
        remember: Sequence[Callable[..., object]] = (),
        adversaries: Sequence[Adversary] = (),
        views: Views = lambda image: (image, image),
        mode: Callable[[nn.Module], object] = track_stats,
        train_handlers: Sequence[Any] = (),
        precision: str = "float32",
        adapted: nn.Module | None = None,
    ) -> None:
        if idist.get_world_size() > 1:
            raise ValueError(
                f"Expected one process for a method that uses source images, found {idist.get_world_size()}: "
                "discriminators, heads and prototypes would differ between them; run it without torchrun."
            )
        self.network, self.optimizer, self.criterion = network, optimizer, criterion
        self.remember, self.adversaries = ensure_tuple(remember), ensure_tuple(adversaries)
        self.views, self.mode, self.precision = views, mode, choose_precision(precision, device)
        self.adapted = network if adapted is None else adapted
        self.heads = {name: layer for name, layer in (layers or {}).items() if isinstance(layer, nn.Module)}
        self.taps = {name: FeatureTap(network, getattr(at, "layer", at)) for name, at in (layers or {}).items()}
        self.learner = nn.ModuleDict({"network": network, **self.heads}) if self.heads else network
        check_adversaries(self.adversaries, network=network, criterion=criterion, device=torch.device(device))
        check_wiring(
            device=torch.device(device), network=network, optimizer=optimizer, adapted=adapted,
            handlers=ensure_tuple(train_handlers), feature_layer=None, step=("source", "target"),
            users={"labeller": None, "criterion": criterion, "views": views, "mode": mode, "remember": self.remember,
                   "layers": self.heads},
            others=[*((head, f"the head {name!r}") for name, head in self.heads.items() if list(head.parameters())),
                    *((adversary.network, "a discriminator") for adversary in self.adversaries),
                    *((adversary.optimizer, "the optimizer of a discriminator") for adversary in self.adversaries)],
        )  # fmt: skip
        _check_heads(self.heads, optimizer)
        for stream in ("source", "target"):
            check_cases(getattr(train_data_loader, stream, None))
        super().__init__(
            device=device,
            max_epochs=max_epochs,
            data_loader=train_data_loader,
            handlers=train_handlers,
            decollate=False,
        )

    def run(self) -> None:  # type: ignore[override] # as MONAI's own engines
        """Run what is left of ``max_epochs``; nothing for a run that was already complete when it was resumed."""
        if self.state.epoch < self.state.max_epochs:
            super().run()

    def _iteration(self, engine: Engine, batch: dict[str, Any]) -> dict[str, Any]:
        target, source = read_batch(batch["target"]), read_images(batch["source"])
        check_same_images(source[0], target[0])
        self.mode(self.network)
        step = {"source": self._forward(*source), "target": self._forward(*target)}
        step["source"] |= self._labels(batch["source"], step["source"]["pred"])
        engine.fire_event(IterationEvents.FORWARD_COMPLETED)
        for remember in self.remember:
            remember(**step)
        loss = self.criterion(**step)
        engine.fire_event(IterationEvents.LOSS_COMPLETED)
        shared: dict[str, Any] = {"step": step, "state": self.state}
        value = minimise(loss, network=self.learner, optimizer=self.optimizer, fire=engine.fire_event, **shared)
        for adversary in self.adversaries:
            lost = adversary.loss(step)
            adversary.note(minimise(lost, network=adversary.network, optimizer=adversary.optimizer, **shared))
        return {"loss": value, "pred": step["target"]["pred"].detach(), "case": target[1]}

    def observe_source(self) -> Iterator[dict[str, Any]]:
        """The stream of every batch of source images in evaluation mode, of the weak view; for use between steps."""
        self.network.eval()
        source = self.data_loader.source_pass()  # type: ignore[union-attr] # a TwoStreams
        for batch in tqdm(source, "looking", unit="batch", leave=False):
            with torch.no_grad():
                stream = self._forward(*read_images(batch), view="weak")
            yield stream | self._labels(batch, stream["pred"])

    def _forward(self, image: Tensor, case: list[str], *, view: str = "strong") -> dict[str, Any]:
        image = to_device(image, self.state.device)
        stream: dict[str, Any] = {"image": image, "case": case}
        with autocast(self.state.device, self.precision):
            stream["weak"], stream["strong"] = check_views(self.views(image), image)
            with misfit_explained(self.network, image):
                stream["pred"] = self.network(stream[view])
        check_answers(**stream)
        if self.state.iteration == 1:
            warn_of_probabilities(stream["pred"])
        for name, tap in self.taps.items():
            stream[name] = self.heads[name](tap.output) if name in self.heads else tap.output
        return stream

    def _labels(self, batch: dict[str, Any], pred: Tensor) -> dict[str, Any]:
        label = to_device(read_labels(batch), self.state.device).float()
        check_labels(label, pred)
        return {"label": label, "pseudo": PseudoLabel(label, torch.ones_like(label))}


def _check_heads(heads: Mapping[str, nn.Module], optimizer: Optimizer) -> None:
    given = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
    for name, head in heads.items():
        if not all(id(parameter) in given for parameter in head.parameters()):
            raise ValueError(
                f"Expected the parameters of the head {name!r} in the optimizer of the network, found them missing: it "
                "would never learn; add them."
            )
