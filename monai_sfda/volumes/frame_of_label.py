"""Which volume of a label map belongs to a frame of its image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from monai_sfda.files import paths_of
from monai_sfda.reading.kind import sniff
from monai_sfda.reading.stored import Refused
from monai_sfda.volumes.nifti import count_frames

__all__ = ["frame_of_label"]


def frame_of_label(item: Mapping[str, Any]) -> int | None:
    """The frame of the image, unless one label map holds for all of them.

    Args:
        item: ``image`` and ``label``, path or paths, and perhaps ``frame``.

    Raises:
        ValueError: if there are several label maps, and not as many as frames of the image.
    """
    frame, stored = item.get("frame"), _frames(item["label"])
    expected = 1 if frame is None else _frames(item.get("image"))
    if None not in (stored, expected) and stored not in (1, expected):
        raise Refused(
            f"Expected a label map of one volume, or of one for each frame of its image, found {stored} volumes for "
            f"{expected}; save it as one volume of class ids, also where it has a channel for each structure."
        )
    return None if stored == 1 else frame


def _frames(path: str | Sequence[str] | None) -> int | None:
    """Volumes of a file; None where that is not known, as of DICOM, whose reader says it."""
    if path is None:
        return None
    first = paths_of(path)[0]
    kind = sniff(first)
    return None if kind == "dicom" else count_frames(first) if kind == "nifti" else 1
