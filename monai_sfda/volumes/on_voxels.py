"""Turn probabilities on the grid of a network into label maps on the voxels of the file."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any

import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform
from monai.utils import convert_to_tensor
from torch import Tensor

from monai_sfda.transforms import LabelMapd

__all__ = ["OnVoxelsd", "VolumeLabelMapd"]


class VolumeLabelMapd(LabelMapd):
    """Turn probabilities (K, slices, rows, columns) into the label map (1, X, Y, Z) uint8 of the file.

    Arguments and rules of a `LabelMapd`; ``ref_image`` is a volume, as `ReadVolumed` leaves it.
    """

    def on_file(self, value: Tensor, image: MetaTensor) -> MetaTensor:
        return _on_voxels(value, image, self.decide)


class OnVoxelsd(MapTransform):
    """Turn probabilities (K, slices, rows, columns) into masks (J, X, Y, Z) of the file.

    Args:
        keys: entries to turn.
        decide: probabilities (K, n, rows, columns) -> masks (J, n, rows, columns), see `Grid.to_stored`.
        ref_image: key of the volume, as `ReadVolumed` leaves it.
        allow_missing_keys: as in MONAI.
    """

    def __init__(
        self,
        keys: KeysCollection,
        *,
        decide: Callable[[Tensor], Tensor],
        ref_image: str = "image",
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.decide, self.ref_image = decide, ref_image

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        item = dict(data)
        for key in self.key_iterator(item):
            item[key] = _on_voxels(item[key], item[self.ref_image], self.decide)
        return item


def _on_voxels(value: Tensor, image: MetaTensor, decide: Callable[[Tensor], Tensor]) -> MetaTensor:
    """Raises ValueError: if the image does not say how it lies."""
    grid = getattr(image, "meta", {}).get("grid")
    if grid is None:
        raise ValueError(
            f"Expected a volume that says how it lies, found a {type(image).__name__} without a grid; keep it as "
            "ReadVolumed gives it."
        )
    masks = torch.from_numpy(grid.to_stored(convert_to_tensor(value, track_meta=False), decide))
    return MetaTensor(masks, affine=image.affine, meta=image.meta)
