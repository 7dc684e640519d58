"""What a recipe contains: the parts of a step, what works between steps, and the source of each setting."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import nn
from torch.optim import Optimizer

from monai_sfda.networks.norm import track_stats
from monai_sfda.protocols import Criterion, Labeller, Views
from monai_sfda.transforms.views import WeakStrongViews

__all__ = ["Method", "needs_source"]

REQUIRED = ("student", "criterion", "optimizer", "adapted", "settings")
FACTS = ("name", "citation", "reconstruction", "uses_target_tags", "uses_source")


@dataclass
class Method:
    """A method as its recipe, ``configs/methods/NAME.json``, defines it; parts that the recipe omits are not used.

    Raises:
        ValueError: if a part that every method has is missing.
    """

    name: str = ""
    citation: str = ""
    summary: str = ""
    """Labels, loss and what is trained, in one line."""
    reconstruction: bool = False
    """Rebuilt without the authors' code."""
    uses_target_tags: bool = False
    """Image-level labels of the target go in."""
    uses_source: bool = False
    """Labelled source images go in: the recipe is run by adapt_with_source.json."""

    settings: Mapping[str, Any] = field(default_factory=dict)
    """Plain values, which a command may replace: ``epochs``, ``batch_size``, ``learning_rate``, ... of this method."""
    sources: Mapping[str, str] = field(default_factory=dict)
    """Setting -> where it is printed, or that it is our own."""
    parts: Mapping[str, Any] = field(default_factory=dict)
    """Parts that several others of the recipe refer to, such as a teacher."""

    student: nn.Module | None = None
    """The network that is trained."""
    views: Views = field(default_factory=WeakStrongViews)
    labeller: Labeller | None = None
    criterion: Criterion | None = None
    mode: Callable[[nn.Module], object] = track_stats
    feature_layer: str | None = None
    layers: Mapping[str, Any] = field(default_factory=dict)
    """With the source: what else the streams hold, see `UdaTrainer`; so are the next two."""
    remember: Sequence[Callable[..., object]] = ()
    adversaries: Mapping[str, Any] = field(default_factory=dict)
    """Name -> `monai_sfda.engines.Adversary`, in their order."""
    optimizer: Optimizer | None = None
    learning_rate_step: int = 1
    """Epochs after which the rate is multiplied by ``learning_rate_decay``."""
    shuffle: bool = True

    handlers: Sequence[Any] = ()
    adapted: nn.Module | None = None
    """The network to deliver."""
    state: Mapping[str, Any] = field(default_factory=dict)
    """Name -> part whose state a run needs to continue, beside the student's and the optimizer's."""
    history: Mapping[str, Callable[[], float]] = field(default_factory=dict)
    """Column of history.csv -> its value at the end of an epoch."""
    redefine: Callable[[dict], dict] | None = None
    """``network_def`` of the bundle -> that of the adapted bundle, if it is another."""

    def __post_init__(self) -> None:
        missing = [name for name in REQUIRED if getattr(self, name) in (None, {})]
        if missing:
            raise ValueError(
                f"Expected a method with {', '.join(REQUIRED)}, found none named {missing[0]} in "
                f"{self.name or 'the recipe'}; add it to the dictionary method of the recipe."
            )

    def expect_source(self) -> None:
        """Raises ValueError: if this is a method that needs no source images."""
        if not self.uses_source:
            raise ValueError(
                f"Expected a method that uses labelled source images, found {self.name}, which needs none; leave the "
                "source out, and use configs/adapt.json."
            )

    def adversary_parts(self) -> dict[str, Any]:
        """What a run needs of the adversaries to continue, by name."""
        return {
            name: part for key, adversary in self.adversaries.items() for name, part in adversary.parts(key).items()
        }

    def facts(self) -> dict[str, Any]:
        """The facts that a report states about the method."""
        return {name: getattr(self, name) for name in FACTS}


def needs_source() -> None:
    """What a recipe with ``uses_source`` finds in adapt.json in place of the source images.

    Raises:
        ValueError: always.
    """
    raise ValueError(
        "Expected configs/adapt_with_source.json for a method that uses labelled source images, found adapt.json; give "
        "monai-sfda adapt the option --source LABELLED, or name adapt_with_source.json and --source_dir LABELLED."
    )
