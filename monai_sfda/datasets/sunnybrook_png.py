"""The Sunnybrook cardiac data as PNG, which github.com/mshunshin/SegNetCMR publishes.

The pictures are those slices that have a contour of the cavity. Spacing and position are lost; the spacing is set to
the published one. Levels without a contour are not there: the stack is closed up over them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import nibabel as nib
import numpy as np

from monai_sfda.datasets.cine import Slice, frames, stack
from monai_sfda.datasets.files import find_files, pair_up
from monai_sfda.datasets.labelled_volumes import Case
from monai_sfda.datasets.masks import read_grey

__all__ = ["SPACING", "THICKNESS", "find_png", "load_png"]

SPACING, THICKNESS = 350 / 256, 8.0
"""Millimetres; why 350 mm and not the 320 mm of Radau et al. (The MIDAS Journal, 2009), docs/data.md says."""
NAME = r"(?P<name>SC-[A-Z-]+\d+-IM-\d+-\d+)\.dcm\.png"


def find_png(source: Path, spacing: float = SPACING) -> dict[str, tuple[Case, list[Slice]]]:
    """Two volumes per patient, see `frames`.

    Raises:
        OSError: if there are no such pictures.
        ValueError: if a label is missing, or the contours of a patient do not make two phases.
    """
    images, labels = (
        find_files(
            source,
            rf"{kind}/(?P<split>Sunnybrook_Part\d)/{NAME}",
            f"{kind}/Sunnybrook_Part1/SC-HF-I-01-IM-0001-0048.dcm.png",
        )
        for kind in ("Images", "Labels")
    )
    slices = [_slice(pair.name, pair.split, pair.image, pair.masks[0]) for pair in pair_up(images, labels)]
    about = {"spacing": f"set to {spacing:g} x {spacing:g} x {THICKNESS:g} mm", "position": "unknown"}
    return frames(slices, lambda one: float(_cavity(one).sum()), about)


def _slice(name: str, part: str, image: Path, label: Path) -> Slice:
    match = re.fullmatch(r"(.+)-IM-\d+-(\d+)", name)
    assert match  # `NAME` ends so
    return Slice(match[1], int(match[2]), image, label, part)


def _cavity(one: Slice) -> np.ndarray:
    assert one.contour
    return read_grey(one.contour) > 0


def load_png(slices: Sequence[Slice], spacing: float = SPACING) -> tuple[nib.Nifti1Image, np.ndarray]:
    """Image (W, H, slices) uint8 and class ids, 1 for the cavity."""
    values = stack([read_grey(one.image) for one in slices])
    # Columns towards the left, rows towards the back, as slices are looked at: a place to show it, not a fact.
    image = nib.Nifti1Image(values, np.diag([-spacing, -spacing, THICKNESS, 1.0]))
    image.set_qform(image.affine, code=2)
    image.header.set_xyzt_units("mm")
    known = f"spacing set to {spacing:g} mm, position unknown, slices without contour left out"
    image.header["descrip"] = known.encode()  # at most 79 bytes
    return image, stack([_cavity(one).astype(np.uint8) for one in slices])
