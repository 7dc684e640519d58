"""Keep one piece of each structure of a volume whose masks come in parts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from monai_sfda.pieces import largest_piece

__all__ = ["one_piece_each"]


def one_piece_each(masks: Sequence[Tensor], starts: Sequence[Tensor | None]) -> list[Tensor]:
    """The masks of the parts of one case, without what does not belong to the largest piece of a structure in all.

    Args:
        masks: (K, *S) boolean of each part: slices (K, H, W) or windows (K, D, H, W) of a volume, or one picture.
        starts: (3,) slice, row and column of the volume at which each part begins; None for a picture.
    """
    sizes = [(*(1,) * (4 - mask.ndim), *mask.shape[1:]) for mask in masks]
    corners = [(0, 0, 0) if start is None else tuple(start.tolist()) for start in starts]
    boxes = [
        (slice(None), *(slice(low, low + side) for low, side in zip(corner, size, strict=True)))
        for corner, size in zip(corners, sizes, strict=True)
    ]
    whole = np.zeros((len(masks[0]), *(max(box[axis].stop for box in boxes) for axis in (1, 2, 3))), bool)
    for mask, box, size in zip(masks, boxes, sizes, strict=True):
        whole[box] |= mask.cpu().numpy().reshape(-1, *size)
    kept = np.stack([largest_piece(structure) for structure in whole])
    return [
        mask & torch.from_numpy(kept[box]).reshape(mask.shape).to(mask.device)
        for mask, box in zip(masks, boxes, strict=True)
    ]
