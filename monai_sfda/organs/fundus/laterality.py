"""Right or left eye, from a DICOM tag or a file name."""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePosixPath

from monai_sfda.files import without_suffix

__all__ = ["eye_of"]

EYES = {"od": "right", "right": "right", "r": "right", "os": "left", "left": "left", "l": "left"}
WORD = re.compile(r"[^\W\d_]+")
LAST_LETTER = re.compile(r"[\W\d_]([rl])$")


def eye_of(case: str, tag: str | None = None) -> tuple[str | None, str | None]:
    """Which eye, ``"right"`` or ``"left"``, and how it is known, ``"DICOM"`` or ``"name"``; both None if it is not.

    In an upright photograph the nose is on the side of the eye's own name: right of the disc in a right eye.

    Args:
        case: relative path. OD, OS, right and left count as words of the file name, else of its folders from the
            nearest on: ``12_OD.png``, ``left/12.png``; so do R and L at the end of the file name: ``12_R.png``. A name
            that says both says nothing.
        tag: value of the DICOM tag Image Laterality (0020,0062) or Laterality (0020,0060); R and L count.
    """
    path = PurePosixPath(unicodedata.normalize("NFC", case.lower()))
    letter = (tag or "").strip().lower()
    if letter in ("r", "l"):
        return EYES[letter], "DICOM"
    stem = without_suffix(path.name)
    for part in (stem, *reversed(path.parent.parts)):
        words = {word for word in WORD.findall(part) if len(word) > 1}
        ending = LAST_LETTER.search(part) if part is stem else None
        eyes = {EYES[word] for word in (*words, *(ending.groups() if ending else ())) if word in EYES}
        if eyes:
            return (eyes.pop(), "name") if len(eyes) == 1 else (None, None)
    return None, None
