"""Damage to label maps, for a denoiser to learn from."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
from monai.config import KeysCollection
from monai.transforms import MapTransform, Randomizable
from torch import Tensor

__all__ = ["RandCorruptLabelsd", "corrupt_blocks"]


def corrupt_blocks(label: Tensor, rng: np.random.RandomState, *, blocks: int, half_size: int) -> Tensor:
    """Overwrite random blocks of a label map with blocks of the same size from elsewhere in the undamaged map.

    All channels of a pixel move together, so nested structures stay nested. At most ``blocks * (2 * half_size)^d``
    pixels change.

    Args:
        label: (K, *S) of any type; d spatial dimensions.
        rng: source of all draws.
        blocks: number of blocks; 0 gives the input.
        half_size: sides are 2r with r ~ U{1..half_size}, cut to the map where it is smaller.
    """
    damaged = label.clone()
    for _ in range(blocks):
        side = 2 * int(rng.randint(1, half_size + 1))
        target, origin = (_corner_to_block(label.shape[1:], side, rng) for _ in range(2))
        damaged[target] = label[origin]
    return damaged


class RandCorruptLabelsd(MapTransform, Randomizable):
    """`corrupt_blocks` with n ~ U{1..blocks} on chosen entries (Karani et al., Medical Image Analysis 2021).

    Departs: the released code draws up to 200 blocks in volumes of 64 x 256 x 256; up to 12 in a map of 128 x 128
    damage the same share, 6 % on average.

    Args:
        keys: entries (K, *S).
        blocks: largest number of blocks.
        half_size: largest half side of a block, in pixels.
        seed: the same blocks at every call, for validation; None draws anew.
        allow_missing_keys: as in MONAI.
    """

    def __init__(
        self,
        keys: KeysCollection,
        *,
        blocks: int = 12,
        half_size: int = 10,
        seed: int | None = None,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.blocks, self.half_size, self.seed = blocks, half_size, seed

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        if self.seed is not None:
            self.set_random_state(self.seed)
        out = dict(data)
        for key in self.key_iterator(out):
            count = int(self.R.randint(1, self.blocks + 1))
            out[key] = corrupt_blocks(out[key], self.R, blocks=count, half_size=self.half_size)
        return out


def _corner_to_block(shape: tuple[int, ...], side: int, rng: np.random.RandomState) -> tuple[slice, ...]:
    sides = [min(side, length) for length in shape]
    corners = [int(rng.randint(length - size + 1)) for length, size in zip(shape, sides, strict=True)]
    return (slice(None), *(slice(corner, corner + size) for corner, size in zip(corners, sides, strict=True)))
