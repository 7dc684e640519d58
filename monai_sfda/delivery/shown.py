"""Choose the pictures of a comparison: the cases that changed most, and ordinary ones."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from monai_sfda.report.pictures import CasePicture

__all__ = ["Shown", "picture_of"]


class Shown:
    """Keeps a few pictures while cases come one by one.

    Args:
        keep: number of pictures of the largest changes, and again of ordinary cases.
    """

    def __init__(self, keep: int) -> None:
        self.keep = keep
        self._changed: list[tuple[float, CasePicture]] = []
        self._ordinary: list[CasePicture] = []

    def add(self, picture: CasePicture, agreement: float) -> None:
        """Look at the picture of the next case, and at the agreement of its masks."""
        if len(self._changed) < self.keep or agreement < self._changed[-1][0]:
            note = ", ".join(filter(None, ["among the most changed", picture.note]))
            entry = (agreement, picture._replace(note=note))
            self._changed = sorted([*self._changed, entry], key=lambda pair: pair[0])[: self.keep]
        if len(self._ordinary) < 2 * self.keep:
            self._ordinary.append(picture)

    @property
    def pictures(self) -> list[CasePicture]:
        """Largest changes, then the first cases that are not among them."""
        changed = [picture for _, picture in self._changed]
        names = {picture.case for picture in changed}
        return changed + [picture for picture in self._ordinary if picture.case not in names][: self.keep]


def picture_of(case: str, image: Tensor, before: Tensor, after: Tensor) -> tuple[tuple[int, int], CasePicture]:
    """Picture of an image, or of the slice of a volume that says most about the change, and how much that is.

    Args:
        case: name of the image.
        image: (C, *S) as stored.
        before, after: (K, *S) boolean.

    Returns:
        Pixels of the picture that changed, and those of all structures, by which two pictures are compared; and the
        picture: of a volume the slice with the largest change, or without any change the one with the most of all
        structures; its note says which slice it is.
    """
    note = None
    if image.ndim == 4:
        slices = torch.stack([(before ^ after).sum((0, 2, 3)), (before | after).sum((0, 2, 3))], 1).tolist()
        number = max(range(len(slices)), key=slices.__getitem__)
        note = f"slice {number + 1} of {len(slices)} as the network sees them"
        image, before, after = image[:, number], before[:, number], after[:, number]
    weight = int((before ^ after).sum()), int((before | after).sum())
    masks = [mask.cpu().numpy().copy() for mask in (before, after)]  # a view would keep its whole batch in memory
    return weight, CasePicture(case, _photograph(image), masks[0], masks[1], note)


def _photograph(image: Tensor) -> np.ndarray:
    """Stored image (C, H, W) -> (H, W, 3) uint8; grey is repeated, other ranges are stretched."""
    array = image.cpu().numpy()
    if array.dtype != np.uint8:
        low, high = float(array.min()), float(array.max())
        array = ((array - low) / max(high - low, 1e-12) * 255).astype(np.uint8)
    array = array[:3] if len(array) >= 3 else array[:1].repeat(3, 0)
    return np.ascontiguousarray(array.transpose(1, 2, 0))
