"""Read volumes as a step of a bundle's preprocessing."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from os import PathLike
from typing import Any

import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform

from monai_sfda.volumes.reader import VolumeReader

__all__ = ["ReadVolumed"]


class ReadVolumed(MapTransform):
    """Read a volume: (1, slices, rows, columns), float32 in [-1, 1] as networks see it, or uint8 from 0 to 255.

    The metadata name the file (``filename_or_obj``; ``files``: all of them) and the ``case``, and say how it lies:
    ``grid``, a `monai_sfda.volumes.Grid`, the ``affine`` of its voxels, and what is known of them, ``placed`` and
    ``measured``, see `monai_sfda.volumes.Volume`.

    Args:
        keys: entries that hold a path, or the paths of a series.
        reader: spacing and rule of intensity.
        dtype: ``torch.float32`` or ``torch.uint8``, which views (`monai_sfda.transforms.WeakStrongViews`) scale.
        label_key: of the path of a label map on the voxels of the file, which is read as it is stored: (1, X, Y, Z)
            uint8; None reads none.
        allow_missing_keys: as in MONAI.
    """

    def __init__(
        self,
        keys: KeysCollection,
        reader: VolumeReader,
        *,
        dtype: torch.dtype = torch.float32,
        label_key: str | None = None,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.reader, self.dtype, self.label_key = reader, dtype, label_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        item: dict[Any, Any] = dict(data)
        for key in self.key_iterator(item):
            path = item[key]
            image, grid, volume = self.reader.read({**item, "image": path})
            image = image.mul(255).round_().byte() if self.dtype == torch.uint8 else image.sub(0.5).div_(0.5)
            first = path if isinstance(path, str | PathLike) else path[0]
            meta = {"filename_or_obj": str(first), "files": path, "case": item.get("case"), "grid": grid}
            meta |= {"placed": volume.placed, "measured": volume.measured}
            affine = torch.from_numpy(volume.affine)
            if self.label_key is not None:
                ids = torch.from_numpy(self.reader.read_label({**item, "label": item[self.label_key]}, volume))
                item[self.label_key] = MetaTensor(ids[None], affine=affine, meta=meta)
            item[key] = MetaTensor(image, affine=affine, meta=meta)
        return item
