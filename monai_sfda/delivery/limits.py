"""Limits of the verdict's checks. Each is a convention; the report shows it beside the value that it judges."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["Limits"]


class Limits(NamedTuple):
    """Limits as shares in [0, 1], except ``growth`` and ``area_factor``, which are factors of at least 1.

    A collapse is what happened to a large share of the images (``empty_share``), to the typical image (``in_place``) or
    to the mean area by an order of magnitude (``area_factor``). Less than that is told, and decides nothing. A few
    images are no evidence: on RIM-ONE r3, a network that was trained with the labels of these very images misses the
    cup in 9 % of them.

    Four were set after looking at labels. ``growth`` and ``shrinkage`` were 2 and 0.5 until CBMT lost a tenth of its
    Dice on RIM-ONE within these limits. ``in_place`` was added after a student that learned from its own labels marked
    slivers beside the nuclei, in every image (0.08; the next of 22 runs has 0.45). ``empty_share`` was 0.05 until six
    runs counted as collapsed on RIM-ONE whose disc had gained 2 to 3 points, and whose cup was gone from 6 to 11 % of
    the images.
    """

    empty_share: float = 0.25
    """Collapse: largest share of the images with a structure, by the source network, from which it may be gone; and
    largest share of all images that it may fill."""
    few_images: float = 0.05
    """Told: the same shares, above this limit."""
    full: float = 0.9
    """Share of an image above which a structure fills it."""
    found: float = 0.05
    """Collapse: least share of images in which the adapted network finds a structure at all."""
    in_place: float = 0.25
    """Collapse: least median share of the smaller of the two masks that overlaps the other, where both exist."""
    area_factor: float = 10.0
    """Collapse: largest factor between a structure's mean area and that in the source's masks, if the adaptation moved
    it away from theirs. Without these masks: largest factor by which it may fall below that of the source network; to
    grow from next to nothing is what an adaptation is for."""
    growth: float = 1.25
    """Told: largest median of area after / area before, if a structure grew."""
    shrinkage: float = 0.8
    """Told: least median of area after / area before, if a structure shrank."""
    agreement: float = 0.5
    """Told: least mean Dice between source and adapted masks."""
    one_piece: float = 0.95
    """Told: least mean share of a mask in its largest piece."""

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
            factor = name in ("growth", "area_factor")
            if factor and not value >= 1:
                raise ValueError(f"Expected {name} of at least 1, found {value}; choose such a number.")
            if not factor and not 0 <= value <= 1:
                raise ValueError(f"Expected {name} between 0 and 1, found {value}; choose such a number.")
        return cls(**limits)
