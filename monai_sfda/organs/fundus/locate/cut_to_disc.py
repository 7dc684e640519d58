"""From a labelled photograph to the square around its disc, as prediction cuts it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from monai.config import KeysCollection
from monai.transforms import BoundingRect, MapTransform, SpatialCrop

from monai_sfda.organs.fundus.locate.disc_square import SIDE, crop_or_square

__all__ = ["CutToDiscd"]


class CutToDiscd(MapTransform):
    """Cut pictures to the square around the disc of their label map, for training; close crops stay whole.

    The square is the one that `DiscFinder` cuts before the same network predicts, but the label says where the disc is.
    A picture without a disc in its label stays whole.

    Args:
        keys: entries (C, H, W) to cut.
        label_key: the label map (1, H, W) of their size; what is not 0 belongs to the disc.
        side, smallest: as in `DiscFinder`.
        allow_missing_keys: as in MONAI.
    """

    def __init__(
        self,
        keys: KeysCollection,
        *,
        label_key: str = "label",
        side: float = SIDE,
        smallest: int = 0,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.label_key, self.side, self.smallest = label_key, side, smallest

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        item = dict(data)
        label = item[self.label_key]
        top, bottom, left, right = map(int, BoundingRect()(label[:1])[0])
        if bottom == top or min(label.shape[1:]) < self.smallest:
            return item
        left, top, right, bottom = crop_or_square(
            ((left + right) / 2, (top + bottom) / 2), max(right - left, bottom - top), label.shape[1:], side=self.side
        )
        cut = SpatialCrop(roi_start=[top, left], roi_end=[bottom, right])
        return item | {key: cut(item[key]) for key in self.key_iterator(item)}
