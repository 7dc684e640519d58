"""The vocabulary: of the adaptation step, and of what an organ adds to a prediction.

Shapes: B batch, K class channels, D features, ``*S`` image space, ``*s`` feature space, H rows, W columns.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
from torch import Tensor, nn

__all__ = [
    "Criterion",
    "Evidence",
    "Findings",
    "Flag",
    "Labeller",
    "Observer",
    "Panel",
    "Prediction",
    "PseudoLabel",
    "Refiner",
    "Views",
    "takes",
]


class Evidence(NamedTuple):
    """What a network predicts for one batch; never carries gradient."""

    case: Sequence[str]
    """Identifier of each image, stable over epochs."""
    probs: Tensor
    """(B, K, *S) in [0, 1]."""
    spread: Tensor | None = None
    """(B, K, *S) standard deviation over stochastic passes."""
    features: Tensor | None = None
    """(B, D, *s), or (B, K, D, *s) where a class has features of its own."""


class PseudoLabel(NamedTuple):
    """A target for each channel and how much it counts."""

    label: Tensor
    """(B, K, *S) in [0, 1]; hard labels are 0 or 1."""
    weight: Tensor
    """(B, K, *S), >= 0; 0 means: ignore this pixel."""


class Views(Protocol):
    """Two pixel-aligned pictures of the same images, as the network wants its input."""

    def __call__(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """(B, C, *S) stored images -> (weak, strong), both (B, C, *S) float."""


class Observer(Protocol):
    """Asks a network about a batch."""

    def __call__(self, image: Tensor, case: Sequence[str]) -> Evidence: ...


class Refiner(Protocol):
    """Improves a pseudo-label with the evidence; never calls the student."""

    def __call__(self, pseudo: PseudoLabel, evidence: Evidence) -> PseudoLabel: ...


class Labeller(Protocol):
    """Names each pixel of a batch: observe, then refine."""

    def __call__(self, image: Tensor, case: Sequence[str]) -> PseudoLabel: ...


class Criterion(Protocol):
    """Loss of one step; takes the parts of the step it needs by keyword and ignores the rest."""

    def __call__(self, **step: object) -> Tensor: ...


class Prediction(NamedTuple):
    """The label map of one image, and what is known of the image; None is unknown."""

    ids: np.ndarray
    """(H, W), class of each pixel of the upright image."""
    box: tuple[slice, slice]
    """Rows and columns around everything that is not background, so that nobody searches a large image again."""
    case: str
    """Name of the image, or its pseudonym."""
    kept: str | None = None
    """What `Findings.keep` said of the name; None where ``case`` is the name itself."""
    spacing: Sequence[float] | None = None
    """Height and width of a pixel of ``ids`` in mm."""
    laterality: str | None = None
    """As the header of the file says it: R or L."""
    seen: Sequence[int] | None = None
    """Left, top, right and bottom of the part that the network saw, if that was not the whole image."""
    located: Mapping[str, Any] | None = None
    """What a search for the organ said, see `monai_sfda.imageio.ReadPhotod`; None where nothing searches."""
    above: Mapping[int, np.ndarray] | None = None
    """Class id -> (h, w) bool at the network's resolution: where its own channel is above the cut-off."""


class Flag(NamedTuple):
    """How one flag is raised: ``column`` is below or above a limit, or outside a pair of limits."""

    column: str
    """``{}`` in it stands for the structure; then the flag is raised per structure."""
    raised: Literal["below", "above", "outside"]
    meaning: str


class Panel(NamedTuple):
    """A histogram of one column in the report."""

    title: str
    column: str
    range: tuple[float, float] | None = None


class Findings(Protocol):
    """What an organ adds to a prediction. It knows structures by their class ids, never by their names."""

    inside: Mapping[int, Sequence[int]]
    """Class id -> ids that lie inside the structure and count as part of it, as the cup does for the disc."""
    flags: Mapping[str, Flag]
    """The organ's own flags by name."""
    limits: Mapping[str, Any]
    """Flag -> limit, or class id -> limit; generic flags too, the most alarming first. None: not judged."""
    panels: Sequence[Panel]
    """Histograms of the report; without any it shows areas."""
    close_up: bool
    """Whether the report shows structures that are small in their image from nearby."""
    codes: Mapping[int, tuple[str, str, str | None]]
    """Each class id that it knows -> category, type and region of a DICOM segment, in pydicom's names for SNOMED CT."""

    def columns(self, prediction: Prediction) -> dict[str, Any]:
        """The organ's columns of one image; None where a number has no meaning.

        A name ends in its unit, such as ``_px``; numbers without a unit are shares and ratios.
        """
        ...

    def facts(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """What the report says beside the picture of a row; if that is nothing, it says areas."""
        ...

    def keep(self, name: str) -> str:
        """What of a name survives a pseudonym, and tells nobody whose image it is."""
        ...


def takes(part: object, count: int) -> bool:
    """Whether a part can be called with as many positional arguments."""
    call = part.forward if isinstance(part, nn.Module) else part
    if not callable(call):
        return False
    try:
        inspect.signature(call).bind(*range(count))
    except TypeError:
        return False
    except ValueError:  # a built-in function that does not say what it takes
        pass
    return True
