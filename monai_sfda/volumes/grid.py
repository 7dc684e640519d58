"""How the voxels of a file lie on the grid of a network, and back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from nibabel.orientations import io_orientation
from torch import Tensor
from torch.nn.functional import interpolate

from monai_sfda.volumes.volume import Volume

__all__ = ["Grid"]

THICKER = 1.05  # times the size of a voxel along the other axes: then this is the axis of the slices
SLICES_AT_ONCE = 16


class Grid(NamedTuple):
    """Axes of a file, turned and resampled to slices, rows and columns as a network sees them.

    Columns run towards the left of the patient (in a sagittal slice: the back), rows towards the back (in a coronal or
    short-axis slice: the feet). A 2-D network sees slices along the thickest axis, in the order of the file; an axis of
    one voxel is that of a single slice, however thick it is. A 3-D network sees slices from the feet to the head. A
    file that does not say how it lies is taken as it is stored.
    """

    axes: tuple[int, int, int]
    """Axes of the file along which slices, rows and columns run."""
    flipped: tuple[int, ...]
    """Those of slices (0), rows (1) and columns (2) that run against their axis of the file."""
    stored: tuple[int, int, int]
    """Numbers of slices, rows and columns of the file."""
    size: tuple[int, int, int]
    """Numbers of slices, rows and columns that the network sees."""

    @classmethod
    def of(cls, volume: Volume, spacing: Sequence[float]) -> Grid:
        """The grid of a network.

        Args:
            volume: the file.
            spacing: rows and columns in mm, for a network that works slice by slice; slices, rows and columns for a
                network that sees volumes.
        """
        axes, flipped = _turned(volume, slices_as_stored=len(spacing) == 2)
        stored = tuple(volume.values.shape[axis] for axis in axes)
        wanted = (*((None,) if len(spacing) == 2 else ()), *spacing)
        sizes = [
            number if mm is None else max(1, round(number * volume.zooms[axis] / mm))
            for number, axis, mm in zip(stored, axes, wanted, strict=True)
        ]
        return cls(axes, flipped, stored, tuple(sizes))  # type: ignore[arg-type] # three of each

    def to_network(self, values: np.ndarray, *, mode: str = "linear") -> Tensor:
        """(X, Y, Z) of the file -> (slices, rows, columns) float32 of the network; ``mode``: linear or nearest."""
        turned = torch.from_numpy(np.ascontiguousarray(values.transpose(self.axes), dtype=np.float32))
        turned = turned.flip(self.flipped) if self.flipped else turned
        if self.size == self.stored:
            return turned
        if mode == "nearest":
            return interpolate(turned[None, None], self.size, mode="nearest-exact")[0, 0]
        slices = interpolate(turned[:, None], self.size[1:], mode="bilinear", antialias=True)[:, 0]
        if self.size[0] == self.stored[0]:
            return slices
        # Linear along each axis in turn, for PyTorch keeps aliases out of pictures alone.
        columns = slices.permute(2, 0, 1)[:, None]
        across = interpolate(columns, self.size[:2], mode="bilinear", antialias=True)[:, 0]
        return across.permute(1, 2, 0).contiguous()

    def to_stored(self, channels: Tensor, decide: Callable[[Tensor], Tensor] | None = None) -> np.ndarray:
        """(K, slices, rows, columns) of the network -> (K, X, Y, Z) of the file, linearly interpolated.

        Args:
            channels: probabilities.
            decide: (K, n, rows, columns) -> (J, n, rows, columns), asked of a few slices at a time once they have the
                size of the file, so that a label map takes no more memory than its ids; None keeps all channels.
        """
        decide = decide or (lambda values: values)
        if self.size[0] != self.stored[0]:
            whole = interpolate(channels[None].float(), self.stored, mode="trilinear")[0]
            return self._as_stored(decide(whole))
        parts = [decide(self._slices(part)) for part in channels.split(SLICES_AT_ONCE, dim=1)]
        return self._as_stored(torch.cat(parts, dim=1))

    def _slices(self, channels: Tensor) -> Tensor:
        if self.size == self.stored:
            return channels.float()
        return interpolate(channels.float().transpose(0, 1), self.stored[1:], mode="bilinear").transpose(0, 1)

    def _as_stored(self, channels: Tensor) -> np.ndarray:
        if self.flipped:
            channels = channels.flip([1 + axis for axis in self.flipped])
        back = np.argsort(self.axes)
        return np.ascontiguousarray(channels.cpu().numpy().transpose(0, *(1 + back)))


def _turned(volume: Volume, *, slices_as_stored: bool) -> tuple[tuple[int, int, int], tuple[int, ...]]:
    """Axes of the file for slices, rows and columns, and which of these three are flipped."""
    if not volume.placed:
        return (2, 1, 0), ()
    orientation = io_orientation(volume.affine)
    towards, direction = orientation[:, 0].astype(int), orientation[:, 1]
    if slices_as_stored:
        slices = _axis_of_slices(volume)
        # 0 is right to left, 1 front to back, 2 head to feet: what is left of them is horizontal first
        columns, rows = sorted((axis for axis in range(3) if axis != slices), key=lambda axis: towards[axis])
    else:
        columns, rows, slices = (int(np.flatnonzero(towards == body)[0]) for body in range(3))
    axes = (slices, rows, columns)
    flipped = [number for number in (1, 2) if direction[axes[number]] > 0]
    if not slices_as_stored and direction[slices] < 0:
        flipped.insert(0, 0)
    return axes, tuple(flipped)


def _axis_of_slices(volume: Volume) -> int:
    """The axis of one voxel, where it is the only one; else the thickest; else the last."""
    single = [axis for axis in range(3) if volume.values.shape[axis] == 1]
    if len(single) == 1:
        return single[0]
    zooms = volume.zooms
    largest = int(np.argmax(zooms))
    others = np.delete(zooms, largest)
    return largest if zooms[largest] > THICKER * others.max() else 2
