"""Read a volume as a network sees it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from torch import Tensor

from monai_sfda.reading.stored import Huge, Refused
from monai_sfda.volumes.frame_of_label import frame_of_label
from monai_sfda.volumes.grid import Grid
from monai_sfda.volumes.intensity import Percentiles, ZScore, scaled
from monai_sfda.volumes.labels import label_on
from monai_sfda.volumes.read import read_volume
from monai_sfda.volumes.volume import MOST_VOXELS, Volume, size_text

__all__ = ["VolumeReader", "sized_by"]

FARTHEST = 50
"""Times the spacing of the network, or as much smaller: a size of a voxel beyond that is in another unit."""


class VolumeReader:
    """Reads volumes at the spacing and with the rule of intensity that a network was trained with.

    Args:
        spacing: rows and columns in mm, for a network that works slice by slice; slices, rows and columns in mm for one
            that sees volumes.
        percentiles: of the values of a volume, that become black and white.
        z_score: standard deviations around the mean, from black to mean and from mean to white; in place of
            ``percentiles``.
        pixel_size: of files that do not state it, such as PNG, in mm: one number, rows and columns, or slices, rows and
            columns. Without the distance of slices there are no volumes in ml.

    Raises:
        ValueError: if ``spacing`` or ``pixel_size`` is none of these, or not one of the two rules is given.
    """

    def __init__(
        self,
        spacing: Sequence[float],
        *,
        percentiles: Sequence[float] | None = None,
        z_score: float | None = None,
        pixel_size: float | Sequence[float] | None = None,
    ) -> None:
        if len(spacing) not in (2, 3) or not all(mm > 0 for mm in spacing):
            raise ValueError(
                "Expected a spacing of 2 numbers in mm (rows and columns: the network sees slices) or 3 (slices, rows "
                f"and columns: it sees volumes), found {spacing}."
            )
        if (percentiles is None) == (z_score is None):
            raise ValueError("Expected one rule of intensity, found none or two; give percentiles or z_score.")
        self.spacing = tuple(float(mm) for mm in spacing)
        self.rule = ZScore(z_score) if z_score is not None else Percentiles(*percentiles)  # type: ignore[misc]
        self.pixel_size = _pixel_size(pixel_size)
        if self.pixel_size is not None and len(self.pixel_size) < len(self.spacing):
            raise ValueError(
                "Expected a pixel_size of slices, rows and columns for a network that sees volumes, found only "
                f"{size_text(self.pixel_size)}; give the distance of slices, too."
            )

    @property
    def by_slices(self) -> bool:
        """Whether the network sees one slice at a time."""
        return len(self.spacing) == 2

    def read(self, item: Mapping[str, Any]) -> tuple[Tensor, Grid, Volume]:
        """The volume of an item (``image``: path or paths, perhaps ``frame``).

        Returns:
            (1, slices, rows, columns) float32 in [0, 1], how it lies, and the volume as stored.

        Raises:
            ValueError: if there is no such volume; where the list knows why, ``refused`` of the item says it.
        """
        if item.get("refused"):
            raise Refused(item["refused"])
        volume = self._sized(read_volume(item["image"], item.get("frame")))
        grid = Grid.of(volume, self.spacing)
        self._refuse_other_kind(volume, grid)
        self._refuse_other_distance(volume, grid)
        _refuse_huge_grid(grid)
        return grid.to_network(scaled(volume.values, self.rule))[None], grid, volume

    def read_label(self, item: Mapping[str, Any], volume: Volume) -> np.ndarray:
        """The label map of an item (``label``: path, perhaps ``frame``) on the voxels of its image: (X, Y, Z) uint8.

        A label map of one volume holds for every frame of its image.

        Raises:
            ValueError: if it has other voxels or other frames than its image, or holds no class ids.
        """
        return label_on(volume, read_volume(item["label"], frame_of_label(item), ids=True))

    def _sized(self, volume: Volume) -> Volume:
        """With ``pixel_size``, where the file states none."""
        if volume.sized:
            return volume
        if self.pixel_size is None:
            raise Refused(
                "Expected a file that states the size of its pixels in mm, found none; give rows and columns, or "
                'slices, rows and columns, as --reader::pixel_size "[8,1.25,1.25]".'
            )
        return sized_by(volume, self.pixel_size)

    def _refuse_other_kind(self, volume: Volume, grid: Grid) -> None:
        if not self.by_slices and min(volume.values.shape) == 1:
            found = size_text(volume.values.shape)
            raise Refused(
                f"Expected several slices for a network that sees volumes, found one ({found}); leave it out."
            )
        sizes = volume.zooms[list(grid.axes)][-len(self.spacing) :]
        factors = sizes / np.array(self.spacing)
        if factors.max() > FARTHEST or factors.min() < 1 / FARTHEST:
            raise Refused(
                f"Expected voxels of about {size_text(self.spacing)} mm, for which the network is made, found "
                f"{size_text(sizes)} mm; correct the size or the unit in the header."
            )

    def _refuse_other_distance(self, volume: Volume, grid: Grid) -> None:
        """A network of slices does not see how far apart they are, but volumes in ml rest on it."""
        if grid.stored[0] == 1 or not volume.measured:
            return
        distance = volume.zooms[grid.axes[0]]
        if not min(self.spacing) / FARTHEST <= distance <= max(self.spacing) * FARTHEST:
            raise Refused(
                f"Expected a distance of slices that goes with pixels of about {size_text(self.spacing)} mm, found "
                f"{distance:g} mm; correct the size or the unit in the header."
            )


def _refuse_huge_grid(grid: Grid) -> None:
    if math.prod(grid.size) > MOST_VOXELS:
        raise Huge(
            f"Expected at most {MOST_VOXELS} voxels at the spacing of the network, found {size_text(grid.size)}; "
            "correct the size of a voxel in the header, or cut the volume."
        )


def sized_by(volume: Volume, pixel_size: Sequence[float]) -> Volume:
    """A volume that states no size with that of rows and columns, or of slices, rows and columns, in mm."""
    thickness, rows, columns = (1.0, *pixel_size)[-3:]
    affine = volume.affine @ np.diag([columns, rows, thickness, 1.0])
    return volume._replace(affine=affine, measured=len(pixel_size) == 3, sized=True)


def _pixel_size(given: float | Sequence[float] | None) -> tuple[float, ...] | None:
    if given is None:
        return None
    sizes = tuple(given) if isinstance(given, Sequence) else (given, given)
    try:
        sizes = tuple(float(mm) for mm in sizes)
    except (TypeError, ValueError):
        sizes = ()
    if len(sizes) not in (2, 3) or not all(mm > 0 for mm in sizes):
        raise ValueError(
            "Expected a pixel_size above 0 in mm of one number, of rows and columns, or of slices, rows and columns, "
            f"found {given}."
        )
    return sizes
