"""From a full photograph to the square around its disc."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from monai_sfda.transforms.disc_square import crop_or_square
from monai_sfda.transforms.locate import locate_disc

__all__ = ["DiscFinder"]

FACTS = ("found", "cropped", "box", "centre", "diameter", "confidence")


class DiscFinder:
    """Find the disc, and the square around it at the scale that a network was trained for.

    Tells by the disc's size whether the picture is a crop already; such a picture is taken whole.

    Args:
        network: see `monai_sfda.transforms.locate.locate_disc`.
        side: of the square in disc diameters; the simulated crops have 2.1 (a disc of 0.38 to 0.58 of the width).
        crop_from: a picture whose disc takes this share of its shorter side, or more, is a crop already. In full
            photographs of 30 degrees or more it takes a quarter at most; ``1 / side`` is the largest value allowed.
        confident: confidence from which a disc counts as found.
        required: raise an error where there is none; False takes the picture whole and says so.
        smallest: a picture whose shorter side has fewer pixels is taken for a crop without a look: a full photograph of
            that size would show the disc with a few dozen pixels, and looking takes time.

    Raises:
        ValueError: if ``crop_from`` or ``confident`` is out of range.
    """

    def __init__(
        self,
        network: Callable[[Tensor], Tensor],
        *,
        side: float = 2.1,
        crop_from: float = 0.28,
        confident: float = 0.7,
        required: bool = True,
        smallest: int = 0,
    ) -> None:
        if not 0 < crop_from <= 1 / side:
            raise ValueError(
                f"Expected crop_from in (0, 1 / side = {1 / side:.2f}], so that the square fits into the picture, "
                f"found {crop_from}."
            )
        if not 0.5 <= confident <= 1:
            raise ValueError(f"Expected confident in [0.5, 1], found {confident}.")
        self.network, self.side, self.crop_from = network, side, crop_from
        self.confident, self.required, self.smallest = confident, required, smallest

    def __call__(self, image: Tensor) -> dict[str, Any]:
        """Where the disc is in ``image`` (3, H, W), 0..255, in plain numbers.

        Returns:
            ``found``; ``cropped``, whether the picture is to be cut; ``box`` (left, top, right, bottom) of what to
            cut, else of the whole; ``centre`` [x, y] and longest ``diameter`` of the disc in pixels, the best guess
            where none was found; ``confidence`` in [0, 1]. ``box`` alone, and None for the others, without a look.

        Raises:
            ValueError: if there is no disc and one is ``required``, or the picture is not RGB.
        """
        if image.ndim != 3 or image.shape[0] != 3:
            raise ValueError(
                f"Expected an RGB picture (3, H, W), found {tuple(image.shape)}; load it with PhotoReader and "
                "EnsureChannelFirstd."
            )
        height, width = image.shape[1:]
        if min(height, width) < self.smallest:
            return dict.fromkeys(FACTS) | {"box": [0, 0, width, height]}
        disc = locate_disc(image, self.network)
        found = disc.confidence >= self.confident
        if self.required and not found:
            raise ValueError(
                f"Expected an optic disc in the photograph, found none (confidence {disc.confidence:.2f}); photograph "
                "the eye again, or cut the disc out by hand."
            )
        box = whole = [0, 0, width, height]
        if found:
            shape = {"side": self.side, "crop_from": self.crop_from}
            box = crop_or_square((disc.x, disc.y), disc.diameter, (height, width), **shape)
        return {
            "found": found,
            "cropped": box != whole,
            "box": box,
            "centre": [disc.x, disc.y],
            "diameter": disc.diameter,
            "confidence": disc.confidence,
        }
