"""Find the square around the disc in a photograph, or in a crop of one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from monai_sfda.organs.fundus.locate.disc_square import SIDE, crop_or_square
from monai_sfda.organs.fundus.locate.field_of_view import Field, find_field, shows_round_field
from monai_sfda.organs.fundus.locate.locate import Location, locate_disc, same_disc

__all__ = ["DiscFinder"]

FACTS = ("found", "photograph", "agreed", "cropped", "box", "centre", "diameter", "confidence")
MISSING = (
    "Expected an optic disc in the photograph, found none (confidence {:.2f}); photograph the eye again, or crop the "
    "photograph around the disc by hand."
)


class DiscFinder:
    """Find the disc, and the square around it at the scale that a network was trained for.

    A picture in which the square would take 0.73 of the shorter side or more is a crop already and stays whole. Any
    other picture is cut to the square, if two further looks find the disc at the same place and in the same size: one
    at the picture turned upside down, one at the square alone. If the looks differ, a picture that does not show a
    whole round field of view may be a crop, and stays whole: a cut beside the disc would harm it, and the network may
    still find the disc. A whole photograph is cut as the first look says, because the disc is too small in all of it.

    Args:
        network: see `monai_sfda.organs.fundus.locate.locate.locate_disc`.
        side: of the square in disc diameters; the simulated crops have 2.1 (a disc of 0.38 to 0.58 of the width).
        confident: confidence from which a disc counts as found.
        required: raise an error if there is none; False leaves the picture whole and reports that.
        spare_crops: even if a disc is ``required``, leave a picture without one whole, and report that, if it does not
            show a whole round field of view: it may be a crop.
        smallest: a picture whose shorter side has fewer pixels counts as a crop and is not searched: a full photograph
            of that size would show the disc with a few dozen pixels, and a search takes time.

    Raises:
        ValueError: if ``confident`` is out of range.
    """

    def __init__(
        self,
        network: Callable[[Tensor], Tensor],
        *,
        side: float = SIDE,
        confident: float = 0.7,
        required: bool = True,
        spare_crops: bool = False,
        smallest: int = 0,
    ) -> None:
        if not 0.5 <= confident <= 1:
            raise ValueError(f"Expected confident in [0.5, 1], found {confident}.")
        self.network, self.side, self.confident = network, side, confident
        self.required, self.spare_crops, self.smallest = required, spare_crops, smallest

    def __call__(self, image: Tensor) -> dict[str, Any]:
        """Where the disc is in ``image`` (3, H, W), 0..255, in plain numbers.

        Returns:
            ``found``; ``photograph``, whether a whole round field of view is shown; ``agreed``, whether further looks
            saw the same disc, None where none was needed; ``cropped``, whether the picture is to be cut; ``box`` (left,
            top, right, bottom) of what to cut, else of the whole; ``centre`` [x, y] and longest ``diameter`` of the
            disc in pixels, the best guess where none was found; ``confidence`` in [0, 1]. In a picture that was not
            searched, all but ``box`` are None.

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
        field = find_field(image)
        if field is None:
            return self._facts(image, Location(width / 2, height / 2, 0.0, 0.0), photograph=True)
        disc = locate_disc(image, field, self.network)
        return self._facts(image, disc, shows_round_field(image, field), field)

    def _facts(self, image: Tensor, disc: Location, photograph: bool, field: Field | None = None) -> dict[str, Any]:
        found, agreed = disc.confidence >= self.confident, None
        if self.required and not found and (photograph or not self.spare_crops):
            raise ValueError(MISSING.format(disc.confidence))
        height, width = image.shape[1:]
        box = whole = [0, 0, width, height]
        if found and field is not None:
            square = crop_or_square((disc.x, disc.y), disc.diameter, (height, width), side=self.side)
            if square != whole:
                agreed = self._seen_again(image, disc, field, square)
                box = square if agreed or photograph else whole
        return {
            "found": found,
            "photograph": photograph,
            "agreed": agreed,
            "cropped": box != whole,
            "box": box,
            "centre": [disc.x, disc.y],
            "diameter": disc.diameter,
            "confidence": disc.confidence,
        }

    def _seen_again(self, image: Tensor, disc: Location, field: Field, square: list[int]) -> bool:
        """Whether both further looks, at the field turned upside down and at the square alone, find the same disc."""
        left, top, right, bottom = square
        alone = Field(left, top, right, bottom, field.level)
        return same_disc(disc, locate_disc(image, field, self.network, upside_down=True)) and same_disc(
            disc, locate_disc(image, alone, self.network)
        )
