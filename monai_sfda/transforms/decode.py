"""Decode one image file to upright pixels: pictures by Pillow, DICOM by pydicom, NIfTI by nibabel.

Shapes: H rows, W columns, C colours.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

__all__ = ["open_picture", "read_dicom", "read_nifti", "sniff", "to_uint8"]

PICTURES = ("BMP", "JPEG", "PNG", "TIFF")


def sniff(path: str | Path) -> str:
    """Say which decoder a file needs: ``"dicom"``, ``"nifti"`` or ``"picture"``.

    Raises:
        ValueError: if the file is empty.
        OSError: if the file is not there or may not be read.
    """
    name = Path(path).name.lower()
    with open(path, "rb") as file:
        head = file.read(132)
    if not head:
        raise ValueError(f"Expected an image in {Path(path).name}, found an empty file; export or copy it again.")
    if head[128:] == b"DICM" or name.endswith((".dcm", ".dicom", ".ima")):
        return "dicom"
    return "nifti" if name.endswith((".nii", ".nii.gz")) else "picture"


def open_picture(path: str | Path) -> Image.Image:
    """Open the first frame of a png, jpeg, tiff or bmp file, fully decoded and rotated as its EXIF tag says.

    Raises:
        ValueError: if the content is something else.
        OSError: if the file is cut short; Pillow's ``DecompressionBombError`` if it is unreasonably large.
    """
    try:
        # A file object, because Pillow maps a named file into memory and then reads rotated raw tiff in rows of a wrong
        # length. Pillow's other formats are left out: some of them start external programs.
        with open(path, "rb") as file, Image.open(file, formats=PICTURES) as image:
            ImageOps.exif_transpose(image, in_place=True)
            return image
    except UnidentifiedImageError as error:
        raise _other_content(path, "png, jpeg, tiff or bmp picture") from error


def read_nifti(path: str | Path) -> np.ndarray:
    """Read a 2D NIfTI image as (H, W) or (H, W, C), C = 3 or 4, values scaled as its header says.

    The first axis of the file is x (columns), as MONAI reads and writes it. Accepted shapes: (W, H), (W, H, 3),
    (W, H, 1, 3), and the RGB type.

    Raises:
        ValueError: if the file holds a volume.
    """
    image: Any = nibabel.load(path)
    shape = (*image.shape[:2], *(n for n in image.shape[2:] if n != 1))
    colours = len(image.get_data_dtype().names or ())
    if colours:
        shape = (*shape, colours)
    if len(shape) != 2 and not (len(shape) == 3 and shape[2] in (3, 4)):
        raise ValueError(
            f"Expected a 2D NIfTI image, grey or with 3 colours, in {Path(path).name}, found the shape {image.shape}; "
            "save its slices as separate images."
        )
    pixels = np.asanyarray(image.dataobj)
    if colours:
        pixels = np.stack([pixels[name] for name in pixels.dtype.names], axis=-1)
    return pixels.reshape(shape).swapaxes(0, 1)


def read_dicom(path: str | Path) -> np.ndarray:
    """Read a single-frame DICOM image as 8-bit grey (H, W) or RGB (H, W, 3), bright meaning bright.

    Raises:
        ImportError: if pydicom is not installed.
        ValueError: if the file is no DICOM image or has several frames.
    """
    name = Path(path).name
    try:
        from pydicom import dcmread
        from pydicom.errors import InvalidDicomError
        from pydicom.pixels import apply_color_lut, pixel_array
    except ImportError as error:
        remedy = "install it with: pip install 'monai-sfda[dicom]'"
        raise ImportError(f"Expected pydicom to read the DICOM file {name}, found it missing; {remedy}.") from error
    try:
        data = dcmread(path)
    except InvalidDicomError as error:
        raise _other_content(path, "DICOM image") from error
    frames = int(data.get("NumberOfFrames") or 1)
    if "PixelData" not in data or frames != 1:
        found = f"{frames} frames" if "PixelData" in data else "no pixels"
        raise ValueError(f"Expected one DICOM image in {name}, found {found}; export single photographs.")
    pixels = pixel_array(data)  # also turns YBR into RGB
    if data.PhotometricInterpretation == "PALETTE COLOR":
        return to_uint8(apply_color_lut(pixels, data))
    pixels = to_uint8(pixels, bits=data.BitsStored)
    return 255 - pixels if data.PhotometricInterpretation == "MONOCHROME1" else pixels


def to_uint8(pixels: np.ndarray, bits: int | None = None) -> np.ndarray:
    """Bring grey levels of any type to 0..255.

    - bool: 0 and 255;
    - integers 0..65535: ``bits`` deep, full scale to 255; unless said (or if said wrongly) the depth is the smallest of
      8, 12 and 16 that holds the largest value, so small values are kept as they are;
    - anything else (float, negative, deeper): [0, 1] to 255, [0, 255] kept, other ranges stretched from their minimum
      to their maximum.

    Raises:
        ValueError: if a value is NaN or infinite.
    """
    if pixels.dtype == bool or not pixels.size:
        return pixels.astype(np.uint8) * 255
    low, high = float(pixels.min()), float(pixels.max())
    if not np.isfinite(low + high):
        raise ValueError("Expected finite grey levels, found NaN or infinity; export the image again.")
    offset = 0.0
    if np.issubdtype(pixels.dtype, np.integer) and low >= 0 and high <= 65535:
        depths = (8, 12, 16) if bits is None else (bits, 8, 12, 16)
        full = next(2.0**depth - 1 for depth in depths if high < 2**depth)
    elif low >= 0 and high <= 255:
        full = 1.0 if high <= 1 else 255.0
    else:
        offset, full = low, max(high - low, 1e-12)
    if full == 255.0 and pixels.dtype == np.uint8:
        return pixels
    return np.rint((pixels.astype(np.float64) - offset) * (255.0 / full)).astype(np.uint8)


def _other_content(path: str | Path, expected: str) -> ValueError:
    return ValueError(f"Expected a {expected} in {Path(path).name}, found other content; export or copy it again.")
