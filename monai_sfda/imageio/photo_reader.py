"""Read any clinic photograph as 8-bit RGB, for MONAI's ``LoadImage``."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from monai.data import PILReader
from monai.utils import ensure_tuple
from PIL import Image

from monai_sfda.files import SUFFIXES
from monai_sfda.imageio.decode_in_subprocess import decode_in_subprocess
from monai_sfda.reading.kind import sniff
from monai_sfda.reading.read import read_image
from monai_sfda.reading.stored import Facts, Shown

__all__ = ["PhotoReader"]

HUGE = 50_000_000  # pixels, more than a fundus camera makes

logger = logging.getLogger(__name__)


class PhotoReader(PILReader):
    """Read a picture, DICOM or 2D NIfTI file as upright 8-bit RGB.

    Use as ``LoadImaged("image", reader=PhotoReader())``. Grey becomes three equal channels; alpha is dropped, never
    blended; palettes and CMYK are resolved; EXIF rotation is applied; deeper data follow
    :func:`monai_sfda.reading.levels.scale_of`, and where that has to guess, and guesses differently for files of one
    type, a warning says so once. Gives (W, H, 3) and the metadata of MONAI's ``PILReader``, so that ``Invertd`` and
    ``SaveImaged`` write masks of the size and orientation of the upright picture.

    Args:
        levels: those that become black and white in files deeper than 8 bits that do not say how deep they are, such
            as ``[0, 4095]``; what is beyond them becomes black or white. None guesses from the values of each file.

    Raises:
        ValueError: if ``levels`` are not two rising numbers.
    """

    def __init__(self, levels: Sequence[float] | None = None) -> None:
        super().__init__()
        if levels is not None and not (len(levels) == 2 and levels[0] < levels[1]):
            raise ValueError(f"Expected levels as [black, white], such as [0, 4095], found {levels}; give two numbers.")
        self.levels = levels
        self._guessed: dict[str, tuple[Facts, str]] = {}
        self._warned = False

    def verify_suffix(self, filename: Any) -> bool:
        return all(str(name).lower().endswith(SUFFIXES) for name in ensure_tuple(filename))

    def read(self, data: Any, **_: Any) -> Any:
        """Only name the files: ``LoadImage`` answers a failing ``read`` with other readers and a page of traces."""
        return [Path(name) for name in ensure_tuple(data)]

    def get_data(self, img: Any) -> tuple[np.ndarray, dict]:
        pictures = [self.decode(path) for path in ensure_tuple(img)]
        array, meta = super().get_data(pictures)
        return array, {**meta, "exif_turned": pictures[0].info["orientation"] != 1}

    def decode(self, path: Path) -> Image.Image:
        """Decode one file to a Pillow image of mode RGB; its ``info`` has the ``orientation`` that was stored."""
        shown = self.decode_with_facts(path)
        picture = Image.fromarray(shown.pixels)
        picture.info["orientation"] = shown.facts.orientation
        return picture

    def decode_array(self, path: str | Path) -> np.ndarray:
        """Decode one file to (H, W, 3) uint8."""
        return self.decode_with_facts(path).pixels

    def decode_with_facts(self, path: str | Path) -> Shown:
        """Decode one file, and say what was read; huge files and all but png and jpeg in a process that may crash."""
        if _common(path):
            shown = read_image(path, self.levels)
        else:
            sniff(path)  # an empty file says so itself
            shown = decode_in_subprocess(path, self.levels)
        if shown.facts.scale_from == "values":
            self._compare(shown.facts, Path(path).name)
        return shown

    def _compare(self, facts: Facts, name: str) -> None:
        first, first_name = self._guessed.setdefault(facts.stored, (facts, name))
        if self._warned or (first.black, first.white) == (facts.black, facts.white):
            return
        self._warned = True
        logger.warning(
            "Expected files of one depth, found %s levels in files that do not state their depth, so each file was "
            "scaled by its own values: %g to %g in %s, %g to %g in %s. If brightness has to agree, as in slices of a "
            "volume, give one rule for all files, such as --reader::levels '[0,4095]'.",
            *(facts.stored, first.black, first.white, first_name, facts.black, facts.white, name),
        )


def _common(path: str | Path) -> bool:
    with open(path, "rb") as file:
        if not file.read(8).startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")):
            return False
        try:
            with Image.open(file, formats=("PNG", "JPEG")) as image:
                return image.width * image.height < HUGE
        except Image.DecompressionBombError:
            return True  # and refused without being decoded
        except (OSError, ValueError, SyntaxError):
            return False
