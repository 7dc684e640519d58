"""Cut volumes into what a network sees at a time: slices, or windows."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import torch
from monai.data import CacheDataset
from monai.data.utils import dense_patch_slices
from monai.transforms import ResizeWithPadOrCrop, SpatialPad
from torch import Tensor
from torch.utils.data import Dataset
from tqdm import tqdm

__all__ = ["ListedParts", "VolumeParts"]

KEYS = ("image", "label")
CUT_OFF = 0.01
"""Share of the labelled voxels that may lie beside the middles without a word."""

logger = logging.getLogger(__name__)


class Volumes(Protocol):
    """A list, or a data set with a length."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Any: ...


class VolumeParts(Dataset):
    """A data set of the slices, or of the windows that cover them, of a data set of volumes; always the same ones.

    Two numbers in ``image_size``: every slice, its middle if it is larger, surrounded with black if it is smaller. A
    warning says so where more than a hundredth of the labelled voxels are lost by it.
    Three: windows side by side, the last ones moved back into the volume; a volume that is smaller than one is
    surrounded with black. A part of one grey level, as the ends of a stack often are, is left out: a network learns
    nothing from it, and its statistics would count in batch normalisation.

    Only the volume that is asked for is in memory, so let the data set of volumes keep what it has read, on disk
    (MONAI's ``PersistentDataset``) or in memory (``CacheDataset``).

    Args:
        volumes: items ``image`` (1, slices, rows, columns), perhaps a ``label`` of the same shape, and ``case``.
        image_size: rows and columns, or slices, rows and columns, of a part.
        progress: whether to show a progress bar while all volumes are read once.

    Shape:
        items ``image`` and ``label`` (1, \\*image_size), ``case`` ("p1.nii.gz slice 4", counted from 1 as the network
        sees them, or "p1.nii.gz window 2"), ``volume``, the case of the volume, and ``start`` (3,) int64: the slice,
        row and column of the volume at which the part begins, after the volume was cut or surrounded with black.

    Raises:
        ValueError: if ``image_size`` has neither two nor three numbers.
    """

    def __init__(self, volumes: Volumes, image_size: Sequence[int], *, progress: bool = True) -> None:
        if len(image_size) not in (2, 3):
            raise ValueError(
                f"Expected an image_size of 2 numbers (slices) or 3 (windows), found {list(image_size)}; correct "
                "image_size in task.json."
            )
        self.volumes, self.size = volumes, tuple(int(side) for side in image_size)
        self.kind = "slice" if len(self.size) == 2 else "window"
        self._latest: tuple[int, Mapping[str, Any]] | None = None
        self._names: dict[int, str] = {}
        self._labelled = self._kept = 0
        numbers = tqdm(range(len(volumes)), "reading volumes", unit="volume", leave=False, disable=not progress)
        self.places = [(index, place) for index in numbers for place in self._places(index)]
        self._tell_what_is_cut()

    @property
    def sampled(self) -> str:
        """What there is, such as "240 slices of 24 volumes"."""
        volumes = len({index for index, _ in self.places})
        return f"{_count(len(self.places), self.kind)} of {_count(volumes, 'volume')}"

    @property
    def cases(self) -> list[str]:
        """``case`` of each part, in order, without reading a volume again."""
        return [self._case(index, place) for index, place in self.places]

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, number: int) -> dict[str, Any]:
        index, place = self.places[number]
        volume = self._volume(index)
        part = {key: self._cut(volume[key], place) for key in KEYS if key in volume}
        case, name = self._case(index, place), self._names[index]
        return {**part, "case": case, "volume": name, "start": self._start(index, place)}

    def _case(self, index: int, place: int) -> str:
        return f"{self._names[index]} {self.kind} {place + 1}"

    def _volume(self, index: int) -> Mapping[str, Any]:
        """The volume that was asked for last is kept, because its other parts are often asked for next."""
        latest = self._latest
        if latest is None or latest[0] != index:
            self._latest = latest = (index, self.volumes[index])
        return latest[1]

    def _places(self, index: int) -> Iterator[int]:
        volume = self._volume(index)
        self._names[index], image = str(volume["case"]), volume["image"]
        count = image.shape[1] if self.kind == "slice" else len(self._windows(image))
        for place in range(count):
            part = self._cut(image, place)
            if part.min() != part.max():
                yield place
            if self.kind == "slice" and "label" in volume:
                self._labelled += int((volume["label"][:, place] > 0).sum())
                self._kept += int((self._cut(volume["label"], place) > 0).sum())

    def _tell_what_is_cut(self) -> None:
        lost = 1 - self._kept / self._labelled if self._labelled else 0.0
        if lost > CUT_OFF:
            logger.warning(
                "%.0f %% of the labelled voxels lie beside the middle %d x %d pixels of their slices, from which the "
                "network learns, while it predicts whole slices; give a larger image_size in task.json.",
                100 * lost,
                *self.size,
            )

    def _cut(self, volume: Tensor, place: int) -> Tensor:
        if self.kind == "slice":
            return ResizeWithPadOrCrop(self.size)(volume[:, place]).clone()
        return SpatialPad(self.size)(volume)[(slice(None), *self._windows(volume)[place])].clone()

    def _start(self, index: int, place: int) -> Tensor:
        if self.kind == "slice":
            return torch.tensor([place, 0, 0])
        return torch.tensor([side.start for side in self._windows(self._volume(index)["image"])[place][-3:]])

    def _windows(self, volume: Tensor) -> list[tuple[slice, ...]]:
        padded = [max(side, window) for side, window in zip(volume.shape[1:], self.size, strict=True)]
        return dense_patch_slices(padded, self.size, self.size)


class ListedParts(VolumeParts):
    """The parts of listed volumes, which are read once and kept in memory; with the arguments of a MONAI data set.

    So the one who trains replaces the list alone (``train::dataset::data``), as MONAI Label does.

    Args:
        data: an item for each volume, which ``transform`` reads.
        transform: a MONAI transform, item -> volume as `VolumeParts` takes it.
        image_size: as in `VolumeParts`.
        part_transform: of each part when it is asked for, such as random ones; None leaves it as it is.
        num_workers: threads that read the volumes.
    """

    def __init__(
        self,
        data: Sequence[Mapping[str, Any]],
        transform: Callable[[Any], Any],
        image_size: Sequence[int],
        *,
        part_transform: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
        num_workers: int = 1,
    ) -> None:
        super().__init__(CacheDataset(data, transform, num_workers=num_workers, progress=False), image_size)
        self.data, self.transform, self.part_transform = data, transform, part_transform

    def __getitem__(self, number: int) -> dict[str, Any]:
        part = super().__getitem__(number)
        return part if self.part_transform is None else self.part_transform(part)


def _count(number: int, of: str) -> str:
    return f"{number} {of}" if number == 1 else f"{number} {of}s"
