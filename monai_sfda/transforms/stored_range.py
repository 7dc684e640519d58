"""Whether images are stored on the scale that the views were made for."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["StoredRange"]

LEVELS = 255


class StoredRange:
    """Refuse images on another scale than 0 to ``top``, which would silently give wrong pictures or NaN.

    Half a grey level beyond either end is rounding. Images that are all but black are refused as long as none was
    brighter: 0 to 1 in place of 0 to 255 looks like that.

    Args:
        top: value of white, > 0.

    Raises:
        ValueError: if ``top`` is not positive.
    """

    def __init__(self, top: float) -> None:
        if not top > 0:
            raise ValueError(f"Expected stored_max, the value of white, above 0, found {top}; 255 for photographs.")
        self.top = top
        self._bright = False

    def check(self, image: Tensor) -> None:
        """Raises ValueError: if a value of the images is not finite, or on another scale."""
        whole = not image.is_floating_point()
        if whole and self._bright and torch.iinfo(image.dtype).min == 0 and torch.iinfo(image.dtype).max <= self.top:
            return
        # torch.aminmax knows no unsigned numbers of 16 bits and more
        low, high = (float(end) for end in torch.aminmax(image.double() if whole else image))
        level = self.top / LEVELS
        if not low - low == high - high == 0:
            raise ValueError(f"Expected finite images, found {low} to {high}; leave out those with NaN or infinity.")
        dark = 0 < high <= level and not self._bright
        if low < -level / 2 or high > self.top + level / 2 or dark:
            found = f"found {low:.5g} to {high:.5g}"
            raise ValueError(f"Expected stored images from 0 to {self.top:g}, {found}; {self._remedy(low, high)}.")
        self._bright |= high > level

    def _remedy(self, low: float, high: float) -> str:
        if low >= -1 and high <= 1 and low < 0:
            scale = f"ScaleIntensityRanged('image', a_min=-1, a_max=1, b_min=0, b_max={self.top:g})"
            return f"read them with ReadPhotod(..., dtype=torch.uint8), or scale them with {scale}"
        if low < 0:
            return (
                "remove what centres them (such as NormalizeIntensityd), because the views do that, or clip them at 0"
            )
        white = next((white for white in (1, 255, 4095, 65535) if high <= white), high)
        return f"give WeakStrongViews stored_max={white:g} if that is the value of white, or scale the images"
