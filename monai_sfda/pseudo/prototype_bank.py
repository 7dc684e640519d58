"""The prototypes of MPSCL: what the features of each class look like on labelled source images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from ignite.engine import Engine, Events
from torch import Tensor
from torch.nn import functional as F

from monai_sfda.functional import check_head, exclusive_classes

__all__ = ["PrototypeBank", "class_sums"]


def class_sums(features: Tensor, classes: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Sums (K, D) of the features (B, D, *s) of each of K classes, and their numbers (K), for classes (B, *s)."""
    one_hot = F.one_hot(classes.flatten(1), count).to(features.dtype)
    return torch.einsum("bdn,bnk->kd", features.flatten(2), one_hot), one_hot.sum((0, 1))


class PrototypeBank:
    r"""One prototype for each class, moved after each batch of labelled source images (Liu et al., JBHI 2022).

    .. math:: c_k \leftarrow m c_k + (1 - m)\,\mathrm{mean}_{y = k} f

    A class that a batch does not show keeps its prototype. Before the first step a pass over the source sets them to
    the mean over all of its images; Departs: the released code reads them from a file whose making is not released.
    Classes exclude each other: with a sigmoid head a position has the class of the innermost structure, so that disc
    and cup become background, rim and cup, see `exclusive_classes`. Prototypes carry no gradient.

    As part of a `UdaTrainer` it is both among ``remember``, which updates it in every step before the loss, and among
    the handlers, which let it see the source before the first step.

    Args:
        names: of the channels, in their order: of a softmax head the background first.
        head: ``"sigmoid"`` or ``"softmax"``.
        nested: pairs of channels (outer, inner) of a sigmoid head.
        momentum: m in [0, 1]; 1 never moves.
        prototypes: (K, D) to start with, as `load_prototypes` gives them; they are then final until a batch comes.

    Raises:
        ValueError: if ``momentum`` or the shape of ``prototypes`` makes no sense.
    """

    def __init__(
        self,
        names: Sequence[str],
        *,
        head: str = "sigmoid",
        nested: Sequence[Sequence[int]] = (),
        momentum: float = 0.2,
        prototypes: Tensor | None = None,
    ) -> None:
        if not 0 <= momentum <= 1:
            raise ValueError(f"Expected a momentum between 0 (this batch alone) and 1 (never move), found {momentum}.")
        self.head, self.nested, self.momentum = check_head(head), [tuple(pair) for pair in nested], momentum
        self.names = list(names) if head == "softmax" else ["background", *names]
        self._prototypes = prototypes
        if prototypes is not None and (prototypes.ndim != 2 or len(prototypes) != len(self.names)):
            raise ValueError(
                f"Expected a prototype (D) for each of {', '.join(self.names)}, found {tuple(prototypes.shape)}; make "
                "them with the network and the classes of this bundle."
            )

    @property
    def prototypes(self) -> Tensor | None:
        """(K, D), one for each of ``names``; None before the source was seen."""
        return self._prototypes

    def attach(self, engine: Engine) -> None:
        engine.add_event_handler(Events.STARTED, self.fill)

    def fill(self, engine: Any) -> None:
        """See the whole source once, unless there are prototypes already, as of a run that is continued."""
        if self._prototypes is None:
            self.see(engine.observe_source())

    @torch.no_grad()
    def see(self, streams: Any) -> None:
        """Set the prototypes to the mean over streams, each with ``features`` and ``label``.

        Raises:
            ValueError: if none of them shows one of the classes.
            FloatingPointError: if features are not finite.
        """
        sums: Tensor | float = 0.0
        numbers: Tensor | float = 0.0
        for stream in streams:
            features = stream["features"].float()
            _check_finite(features, stream.get("case", ()))
            found = class_sums(features, self.classes(stream["label"], features.shape[2:]), len(self.names))
            sums, numbers = sums + found[0], numbers + found[1]
        counts = torch.as_tensor(numbers).tolist()
        if absent := [name for name, number in zip(self.names, counts, strict=True) if not number]:
            raise ValueError(
                f"Expected every class in the labelled source images, found none of {', '.join(absent)} at the size of "
                "the features; add images that show it, or choose a method without prototypes."
            )
        self._prototypes = sums / torch.as_tensor(numbers)[:, None]

    def __call__(self, *, source: Mapping[str, Any], **_: object) -> None:
        self.update(source["features"], source["label"])

    @torch.no_grad()
    def update(self, features: Tensor, label: Tensor) -> None:
        """Move the prototypes after features (B, D, *s) of source images with labels (B, K, *S)."""
        features = features.float()
        sums, numbers = class_sums(features, self.classes(label, features.shape[2:]), len(self.names))
        before = self._known(features)
        means = sums / numbers.clamp_min(1)[:, None]
        self._prototypes = torch.where(numbers[:, None] > 0, torch.lerp(means, before, self.momentum), before)

    def cosine(self, features: Tensor) -> Tensor:
        """Cosine (B, K, *s) of the features (B, D, *s) at each position and each prototype."""
        features = features.float()
        unit = F.normalize(self._known(features), dim=1)
        return torch.einsum("bd...,kd->bk...", F.normalize(features, dim=1), unit)

    def classes(self, label: Tensor, size: Sequence[int]) -> Tensor:
        """The class (B, *s) of each position of a feature map, by nearest neighbour, for labels (B, K, *S)."""
        classes = exclusive_classes(label, self.head, self.nested)
        small = F.interpolate(classes.unsqueeze(1).float(), size=tuple(size), mode="nearest")
        return small.squeeze(1).long()

    def state_dict(self) -> dict[str, Tensor | None]:
        return {"prototypes": self._prototypes}

    def load_state_dict(self, state: Mapping[str, Tensor | None]) -> None:
        self._prototypes = state["prototypes"]

    def _known(self, features: Tensor) -> Tensor:
        """Raises ValueError: if there are none, or they are of features with other channels."""
        if self._prototypes is None:
            raise ValueError(
                "Expected prototypes, found none; add the bank to the handlers, so that it sees the source first, or "
                "load them with load_prototypes."
            )
        wanted, found = features.shape[1], self._prototypes.shape[1]
        if wanted != found:
            raise ValueError(
                f"Expected prototypes of features with {wanted} channels, found {found}; make them with this "
                "network and this layer."
            )
        self._prototypes = self._prototypes.to(features.device)
        return self._prototypes


def _check_finite(features: Tensor, case: Sequence[str]) -> None:
    right = features.isfinite().flatten(1).all(1).tolist()
    if not all(right):
        whose = f" of {case[right.index(False)]}" if len(case) else ""
        raise FloatingPointError(
            f"Expected finite features for the prototypes, found others in source images{whose}; leave them out, or "
            "correct what reads them."
        )
