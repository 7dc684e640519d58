"""The post-processing of BEAL's evaluation, to compare with its published numbers."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform
from scipy import ndimage

from monai_sfda.pieces import largest_piece

__all__ = ["BealMasksd"]


class BealMasksd(MapTransform):
    """Smooth, shrink and clean each mask, as the code of BEAL does before it scores (Wang et al., MICCAI 2019).

    Five rounds of a median filter of 7 x 7 pixels, erosion by a diamond of radius 7, the largest piece, without holes.
    The erosion was tuned to low cut-offs: use it for BEAL's evaluation only. Published at 512 x 512 pixels.

    Args:
        keys: entries with masks.
        rounds, size: of the median filter.
        radius: of the diamond in pixels.
        allow_missing_keys: as in MONAI.

    Shape:
        (K, H, W) boolean masks -> the same.
    """

    def __init__(
        self,
        keys: KeysCollection,
        *,
        rounds: int = 5,
        size: int = 7,
        radius: int = 7,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.rounds, self.size, self.radius = rounds, size, radius

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        out = dict(data)
        for key in self.key_iterator(out):
            masks = torch.as_tensor(out[key])
            cleaned = np.stack([self._clean(mask) for mask in masks.cpu().numpy() > 0])
            out[key] = torch.from_numpy(cleaned).to(masks)
        return out

    def _clean(self, mask: np.ndarray) -> np.ndarray:
        smooth = mask.astype(np.uint8)
        for _ in range(self.rounds):
            smooth = ndimage.median_filter(smooth, size=self.size, mode="constant")
        diamond = ndimage.iterate_structure(ndimage.generate_binary_structure(2, 1), self.radius)
        small = ndimage.binary_erosion(smooth, diamond, border_value=1)
        return ndimage.binary_fill_holes(largest_piece(small))
