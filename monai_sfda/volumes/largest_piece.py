"""Keep one piece of each structure, where anatomy has one."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform

from monai_sfda.pieces import bounding_box, largest_piece

__all__ = ["LargestPieced"]


class LargestPieced(MapTransform):
    """Set all but the largest connected piece of each structure to background, in three dimensions.

    Args:
        keys: entries on the voxels of their file: a label map (1, X, Y, Z), or masks (K, X, Y, Z) of 0 and 1, one for
            each structure.
        allow_missing_keys: as in MONAI.
    """

    def __init__(self, keys: KeysCollection, *, allow_missing_keys: bool = False) -> None:
        super().__init__(keys, allow_missing_keys)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        item = dict(data)
        for key in self.key_iterator(item):
            kept = np.stack([_one_piece_each(channel) for channel in item[key].numpy()])
            item[key] = MetaTensor(torch.from_numpy(kept), affine=item[key].affine, meta=item[key].meta)
        return item


def _one_piece_each(ids: np.ndarray) -> np.ndarray:
    kept = np.zeros_like(ids)
    for number in np.unique(ids[bounding_box(ids != 0)]):
        mask = ids == number
        box = bounding_box(mask)
        if number:
            kept[box][largest_piece(mask[box])] = number
    return kept
