"""Read a volume as a network sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from torch import Tensor

from monai_sfda.volumes.grid import Grid
from monai_sfda.volumes.intensity import Percentiles, ZScore, scaled
from monai_sfda.volumes.read import read_volume
from monai_sfda.volumes.volume import Volume

__all__ = ["VolumeReader"]


class VolumeReader:
    """Reads volumes at the spacing and with the rule of intensity that a network was trained with.

    Args:
        spacing: rows and columns in mm, for a network that works slice by slice; slices, rows and columns in mm for one
            that sees volumes.
        percentiles: of the values of a volume, that become black and white.
        z_score: standard deviations around the mean, from black to mean and from mean to white; in place of
            ``percentiles``.

    Raises:
        ValueError: if ``spacing`` is neither, or not one of the two rules is given.
    """

    def __init__(
        self,
        spacing: Sequence[float],
        *,
        percentiles: Sequence[float] | None = None,
        z_score: float | None = None,
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

    @property
    def by_slices(self) -> bool:
        """Whether the network sees one slice at a time."""
        return len(self.spacing) == 2

    def read(self, item: Mapping[str, Any]) -> tuple[Tensor, Grid, Volume]:
        """The volume of an item (``image``: path or paths, perhaps ``frame``).

        Returns:
            (1, slices, rows, columns) float32 in [0, 1], how it lies, and the volume as stored.

        Raises:
            ValueError: if there is no such volume.
        """
        volume = read_volume(item["image"], item.get("frame"))
        grid = Grid.of(volume, self.spacing)
        return grid.to_network(scaled(volume.values, self.rule))[None], grid, volume

    def read_label(self, item: Mapping[str, Any], volume: Volume) -> np.ndarray:
        """The label map of an item (``label``: path, perhaps ``frame``) as stored: (X, Y, Z) uint8.

        Raises:
            ValueError: if it is not on the voxels of its image, or holds no class ids.
        """
        label = read_volume(item["label"], item.get("frame"))
        ids = label.values
        if ids.shape != volume.values.shape:
            raise ValueError(
                f"Expected a label map of the size of its image, {_size(volume.values)}, found {_size(ids)}; resample "
                "it onto the image."
            )
        if (
            label.placed
            and volume.placed
            and not np.allclose(label.affine, volume.affine, atol=0.05 * volume.zooms.min())
        ):
            raise ValueError(
                "Expected a label map on the voxels of its image, found another affine in it; resample it onto the "
                "image, or save it with the affine of the image."
            )
        whole = np.rint(ids)
        if np.abs(ids - whole).max() > 1e-3 or whole.min() < 0 or whole.max() > 255:
            raise ValueError(
                f"Expected class ids 0 to 255 in the label map, found values from {ids.min():g} to {ids.max():g}."
            )
        return whole.astype(np.uint8)


def _size(values: np.ndarray) -> str:
    return " x ".join(map(str, values.shape))
