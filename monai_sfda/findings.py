"""What an organ adds to a prediction.

Shapes: H rows, W columns; Z slices, Y and X the axes of a slice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np

__all__ = ["Findings", "Flag", "Panel", "Prediction", "StudyTable"]


class Prediction(NamedTuple):
    """The label map of one image or volume, and what is known of it; None is unknown."""

    ids: np.ndarray
    """Class of each pixel (H, W) of the upright image, or of each voxel (Z, Y, X) of a volume, slices first."""
    box: tuple[slice, ...]
    """What is around everything that is not background, on each axis, so that nobody searches a large image again."""
    case: str
    """Name of the image, or its pseudonym."""
    kept: str | None = None
    """What `Findings.keep` said of the name; None where ``case`` is the name itself."""
    spacing: Sequence[float] | None = None
    """Size of a pixel or voxel of ``ids`` in mm, on each axis."""
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


class StudyTable(NamedTuple):
    """What several images of one study say together."""

    file: str
    """Name of the CSV file that holds the rows."""
    rows: Sequence[Mapping[str, Any]]
    title: str
    """Heading in the report."""
    shown: Mapping[str, str]
    """Columns that the report shows -> their headings."""
    note: str
    """What the numbers rest on, in a few sentences."""


class Findings(Protocol):
    """What an organ adds to a prediction. It knows structures by their class ids, never by their names."""

    inside: Mapping[int, Sequence[int]]
    """Class id -> ids that lie inside the structure and count as part of it, as the cup does for the disc."""
    flags: Mapping[str, Flag]
    """The organ's own flags by name."""
    limits: Mapping[str, Any]
    """Flag -> limit, or class id -> limit; generic flags too, the most alarming first. None: not judged."""
    panels: Sequence[Panel]
    """Histograms of the report; without any it shows areas or volumes."""
    close_up: bool
    """Whether the report shows structures that are small in their image from nearby."""
    codes: Mapping[int, tuple[str, str, str | None]]
    """Each class id that it knows -> category, type and region of a DICOM segment, in pydicom's names for SNOMED CT."""

    def columns(self, prediction: Prediction) -> dict[str, Any]:
        """The organ's columns of one image or volume; None where a number has no meaning.

        A name ends in its unit, such as ``_px``; numbers without a unit are shares and ratios.
        """
        ...

    def facts(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """What the report says beside the picture of a row; if that is nothing, it says areas or volumes."""
        ...

    def keep(self, name: str) -> str:
        """What of a name survives a pseudonym, and tells nobody whose image it is."""
        ...

    def study_and_frame(self, name: str) -> tuple[str, str] | None:
        """What a name says of an image that is one of several of a study: the part that all of them share, which a
        pseudonym replaces, and the frame, which stays readable; None if it is none of several."""
        return None

    def study_table(self, rows: Sequence[Mapping[str, Any]], classes: Mapping[int, str]) -> StudyTable | None:
        """A table of what several images of one study say together. Most organs have none.

        Args:
            rows: all rows of ``results.csv``, also those with the status ``failed``, which have no numbers.
            classes: id -> name; columns of a structure begin with its name, with ``_`` for spaces.
        """
        return None
