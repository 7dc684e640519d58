"""NIfTI images of one slice, by nibabel."""

from __future__ import annotations

import gzip
import math
from functools import partial
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from nibabel.affines import voxel_sizes
from nibabel.nifti1 import unit_codes

from monai_sfda.reading.cell_sizes import cell_sizes
from monai_sfda.reading.disk import is_of_the_disk
from monai_sfda.reading.stored import Huge, Refused, Stored, refuse_huge

__all__ = ["MM", "checked", "damaged_nifti", "is_of_disk", "nifti_spacing", "nifti_units", "read_nifti", "size_factors"]

SAME_SIZE = 0.01
GZIP = b"\x1f\x8b"
MM = {"meter": 1000.0, "mm": 1.0, "micron": 0.001}
"""Of each unit of space that a header may name."""


def read_nifti(path: str | Path) -> Stored:
    """Read a 2D NIfTI image, values scaled as its header says.

    The first axis of the file is x (columns), as MONAI reads and writes it. Grey: (W, H), also with further axes of
    length 1. Colours: the RGB and RGBA types, vectors (W, H, 1, 1, 3), and (W, H, 1, 3) as MONAI writes them, unless
    the header says that the fourth axis is time. Three slices (W, H, 3) are no colours.

    Raises:
        ValueError: if the file holds a volume, or cannot be decoded.
    """
    try:
        image: Any = nibabel.load(path)
        refuse_huge(image.shape, path)
        pixels = np.asanyarray(checked(image, path).dataobj)
    except (OSError, Huge) as error:
        if isinstance(error, Huge) or is_of_disk(error):
            raise
        raise damaged_nifti(path, error) from None
    except Exception as error:
        raise damaged_nifti(path, error) from None
    names = pixels.dtype.names
    channels = 1 if names else _channels(image)
    if len(image.shape) < 2 or math.prod(image.shape[2:]) != channels:
        raise ValueError(
            f"Expected a 2D NIfTI image, grey or in colours, in {Path(path).name}, found the shape {image.shape}, a "
            "volume or a series; the bundle is for pictures: take one for volumes (whose configs/task.json has "
            "volumes), or save the slices as separate images (colours: of the RGB type)."
        )
    if names:
        pixels = np.stack([pixels[name] for name in names], axis=-1)
        channels = len(names)
    levels = pixels.reshape(*image.shape[:2], channels).swapaxes(0, 1)
    spacing, source = nifti_spacing(image)
    alpha = levels[..., 3] if channels == 4 else None
    levels, colours = (levels[..., 0], "grey") if channels == 1 else (levels[..., :3], "RGB")
    return Stored(levels, colours, alpha=alpha, spacing=spacing, spacing_from=source)


def checked(image: Any, path: str | Path) -> Any:
    """Read to the end where a checksum stands there, which nibabel would not look at."""
    if not str(path).lower().endswith(".gz"):
        return image
    with gzip.open(path) as file:
        return type(image).from_bytes(file.read())


def nifti_spacing(image: Any) -> tuple[tuple[float, float] | None, str | None]:
    """Height and width of a voxel in mm, of an opened file that names its unit; and where they are from.

    From the affine; where it counts in voxels, as in the release of ACDC, from ``pixdim``; None where both state sizes,
    which differ. Where rows and columns are not at right angles, the height is the distance between rows, so that areas
    are right.
    """
    unit = MM.get(nifti_units(image.header)[0])
    factors = size_factors(image)
    if unit is None or factors is None:
        return None, None
    sizes = zip(cell_sizes(image.affine, (1, 0)), factors, strict=True)
    height, width = (size * unit * factor for size, factor in sizes)
    if not all(0 < size < math.inf for size in (width, height)):
        return None, None
    return (height, width), "NIfTI affine" if factors == [1, 1] else "NIfTI pixdim"


def size_factors(image: Any) -> list[float] | None:
    """Of height and width as the affine has them; None if it is unclear which sizes are right."""
    placed, written = voxel_sizes(image.affine)[[1, 0]], np.abs(image.header["pixdim"][[2, 1]])
    same = partial(np.allclose, rtol=SAME_SIZE, atol=0)
    if same(placed, written) or same(written, 1):
        return [1.0, 1.0]
    return written.tolist() if same(placed, 1) else None


def nifti_units(header: Any) -> tuple[str, str]:
    """The units of space and time, as nibabel calls them; ``unknown`` also where a number stands for none."""
    number = int(header["xyzt_units"])
    space, time = (str(unit_codes.label.get(code, "unknown")) for code in (number % 8, number - number % 8))
    return space, time


def _channels(image: Any) -> int:
    shape = list(image.shape)
    while len(shape) > 3 and shape[-1] == 1:
        shape.pop()
    timed = nifti_units(image.header)[1] in ("sec", "msec", "usec")
    colours = (len(shape) == 5 and shape[3] == 1) or (len(shape) == 4 and not timed)
    return shape[-1] if colours and shape[2] == 1 and shape[-1] in (3, 4) else 1


def is_of_disk(error: OSError) -> bool:
    """Whether the disk failed, and not nibabel, which looks for ``a.nii.gz`` if it is asked for ``a.Nii.gz``."""
    return is_of_the_disk(error) and not isinstance(error, FileNotFoundError)


def damaged_nifti(path: str | Path, error: Exception) -> ValueError:
    """One sentence for what nibabel says, which quotes the whole path."""
    name = Path(path).name
    with open(path, "rb") as file:
        zipped = file.read(len(GZIP)) == GZIP
    if isinstance(error, FileNotFoundError):
        return Refused(f"Expected a name that ends with .nii or .nii.gz, in small letters, found {name}; rename it.")
    remedy = "export it again"
    if zipped != name.lower().endswith(".gz"):
        remedy = f"it is {'' if zipped else 'not '}compressed: let its name end with {'.nii.gz' if zipped else '.nii'}"
    return ValueError(
        f"Expected a NIfTI image in {name}, found one that cannot be decoded ({type(error).__name__}); {remedy}."
    )
