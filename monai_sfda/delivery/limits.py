"""Limits of the verdict's checks. Each is a convention; the report shows it beside the value that it judges."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["Limits"]


class Limits(NamedTuple):
    """Limits as shares in [0, 1], except ``growth``.

    Three were set after looking at labels. ``growth`` and ``shrinkage`` were 2 and 0.5 until CBMT lost a tenth of its
    Dice on RIM-ONE within these limits. ``in_place`` was added after a student that learned from its own labels marked
    slivers beside the nuclei, in every image (0.08; the next of 22 runs has 0.45).
    """

    empty_share: float = 0.05
    """Collapse: share of images in which a structure that the source network found is gone."""
    full: float = 0.9
    """Share of an image above which a structure fills it; a collapse in more than ``empty_share`` of the images."""
    found: float = 0.05
    """Collapse: least share of images in which the adapted network finds a structure at all."""
    in_place: float = 0.25
    """Collapse: least median share of the smaller of the two masks that overlaps the other, where both exist."""
    growth: float = 1.25
    """Largest median of area after / area before, if a structure grew; at least 1."""
    shrinkage: float = 0.8
    """Least median of area after / area before, if a structure shrank."""
    agreement: float = 0.5
    """Least mean Dice between source and adapted masks."""
    one_piece: float = 0.95
    """Least mean share of a mask in its largest piece."""

    @classmethod
    def of(cls, limits: Mapping[str, float]) -> Limits:
        """The defaults, some of them replaced.

        Raises:
            ValueError: if there is no such limit, or one is no number, or out of its range.
        """
        for name, value in limits.items():
            if name not in cls._fields or isinstance(value, bool) or not isinstance(value, (int, float)):
                raise ValueError(
                    f"Expected numbers for {', '.join(cls._fields)}, found {name}={value!r}; give these only."
                )
            if name == "growth" and not value >= 1:
                raise ValueError(f"Expected growth of at least 1, found {value}; choose such a number.")
            if name != "growth" and not 0 <= value <= 1:
                raise ValueError(f"Expected {name} between 0 and 1, found {value}; choose such a number.")
        return cls(**limits)
