"""Decode one image file to upright pixels: pictures by Pillow, DICOM by pydicom, NIfTI by nibabel.

Shapes: H rows, W columns, C colours. Run as a program it decodes for `monai_sfda.transforms.decode_apart`, so it
imports nothing of this package.
"""

from __future__ import annotations

import json
import logging
import os
import struct
import sys
import warnings
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

__all__ = ["exif_orientation", "open_picture", "read_dicom", "read_nifti", "read_rgb", "sniff", "to_uint8"]

PICTURES = ("BMP", "JPEG", "PNG", "TIFF")
TIFF = (b"II*\0", b"MM\0*")
SUBFILE_TYPE = 254  # tag of a tiff page whose lowest bit says that it is a small copy of another
MEMORY = 6 << 30  # bytes for the program; the largest picture that Pillow opens takes about 4 GB as 16-bit grey


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


def read_rgb(path: str | Path) -> np.ndarray:
    """Decode any accepted file to 8-bit RGB (H, W, 3).

    Grey becomes three equal channels; alpha is dropped, never blended; palettes and CMYK are resolved.

    Raises:
        ValueError, OSError: as the readers below.
    """
    kind = sniff(path)
    if kind == "picture":
        pixels = _picture_to_rgb(open_picture(path))
    else:
        pixels = read_dicom(path) if kind == "dicom" else to_uint8(read_nifti(path))
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[..., None], 3, axis=-1)
    return np.ascontiguousarray(pixels[..., :3])


def exif_orientation(path: str | Path) -> int:
    """How a picture is to be turned, 1 (upright) to 8; 1 for other files."""
    try:
        with Image.open(path, formats=PICTURES) as picture:
            return picture.getexif().get(ExifTags.Base.Orientation, 1)
    except UnidentifiedImageError:
        return 1


def open_picture(path: str | Path) -> Image.Image:
    """Open a png, jpeg, tiff or bmp file with one picture, fully decoded and rotated as its EXIF tag says.

    Raises:
        ValueError: if the content is something else, has several pages, is cut short or unreasonably large.
        OSError: if the file cannot be opened.
    """
    try:
        # A file object, because Pillow maps a named file into memory and then reads rotated raw tiff in rows of a wrong
        # length. Pillow's other formats are left out: some of them start external programs.
        with open(path, "rb") as file, Image.open(file, formats=PICTURES) as image:
            _refuse_pages(image, path)
            ImageOps.exif_transpose(image, in_place=True)
            return image
    except UnidentifiedImageError as error:
        with open(path, "rb") as file:
            if file.read(4) in TIFF:
                raise ValueError(
                    f"Expected a grey, RGB or CMYK picture in {Path(path).name}, found a tiff that is damaged or "
                    "has other channels or numbers; export it as RGB."
                ) from error
        raise _other_content(path, "png, jpeg, tiff or bmp picture") from error
    except Image.DecompressionBombError as error:
        size = f"{Path(path).name} ({error})"
        raise _Huge(f"Expected a picture of reasonable size, found {size}; export a smaller one.") from error
    except OSError as error:
        if error.errno is not None:
            raise
        name = Path(path).name
        raise ValueError(f"Expected a whole picture in {name}, found: {error}; export or copy it again.") from error


def read_nifti(path: str | Path) -> np.ndarray:
    """Read a 2D NIfTI image as (H, W) or (H, W, C), C = 3 or 4, values scaled as its header says.

    The first axis of the file is x (columns), as MONAI reads and writes it. Accepted shapes: (W, H), (W, H, 3),
    (W, H, 1, 3), and the RGB type.

    Raises:
        ValueError: if the file holds a volume, or cannot be decoded.
    """
    try:
        image: Any = nibabel.load(path)
        _refuse_huge(image.shape, path)
        pixels = np.asanyarray(image.dataobj)
    except (OSError, _Huge) as error:
        if isinstance(error, _Huge) or error.strerror:
            raise
        raise _damaged_nifti(path, error) from None
    except Exception as error:
        raise _damaged_nifti(path, error) from None
    shape = (*image.shape[:2], *(n for n in image.shape[2:] if n != 1))
    colours = len(image.get_data_dtype().names or ())
    if colours:
        shape = (*shape, colours)
    if len(shape) != 2 and not (len(shape) == 3 and shape[2] in (3, 4)):
        raise ValueError(
            f"Expected a 2D NIfTI image, grey or with 3 colours, in {Path(path).name}, found the shape {image.shape}; "
            "save its slices as separate images."
        )
    if colours:
        pixels = np.stack([pixels[name] for name in pixels.dtype.names], axis=-1)
    return pixels.reshape(shape).swapaxes(0, 1)


def _damaged_nifti(path: str | Path, error: Exception) -> ValueError:
    # What nibabel says quotes the whole path.
    return ValueError(
        f"Expected a NIfTI image in {Path(path).name}, found one that cannot be decoded ({type(error).__name__}); "
        "export it again."
    )


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
    except ImportError as error:
        remedy = "install it with: pip install pydicom"
        raise ImportError(f"Expected pydicom to read the DICOM file {name}, found it missing; {remedy}.") from error
    stored = ""
    try:
        data = dcmread(path)
        stored = f", stored as {data.file_meta.TransferSyntaxUID.name}"
        frames = int(data.get("NumberOfFrames") or 1)
        if "PixelData" in data and frames == 1:
            _refuse_huge((data.Rows, data.Columns), path)
            return _dicom_pixels(data)
    except InvalidDicomError as error:
        raise _other_content(path, "DICOM image") from error
    except (OSError, ImportError, _Huge):
        raise
    except Exception as error:
        # What pydicom says may quote the file, and with it a patient.
        damage = type(error).__name__
        raise ValueError(
            f"Expected a DICOM image in {name}, found one that cannot be decoded ({damage}{stored}); export it again, "
            "without compression."
        ) from None
    found = f"{frames} frames" if "PixelData" in data else "no pixels"
    raise ValueError(f"Expected one DICOM image in {name}, found {found}; export single photographs.")


def _dicom_pixels(data: Any) -> np.ndarray:
    from pydicom.pixels import apply_color_lut, apply_modality_lut, apply_windowing, pixel_array

    pixels = pixel_array(data)  # also turns YBR into RGB
    if data.PhotometricInterpretation == "PALETTE COLOR":
        colours = apply_color_lut(pixels, data)
        return to_uint8(colours, bits=8 * colours.itemsize)
    window = [data.get(name) not in (None, "") for name in ("WindowCenter", "WindowWidth")]
    if all(window) and data.PhotometricInterpretation.startswith("MONOCHROME"):  # every viewer shows the window
        shown = apply_windowing(apply_modality_lut(pixels, data), data)
        dark, bright = apply_windowing(np.array([-1e12, 1e12]), data)
        pixels = np.rint((shown - dark) * (255 / (bright - dark))).astype(np.uint8)
    else:
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


def _refuse_pages(image: Image.Image, path: str | Path) -> None:
    """Pages of a tiff, not the small copies of the first one that some programs add."""
    if image.format != "TIFF":
        return
    pages = 0
    for frame in range(getattr(image, "n_frames", 1)):
        image.seek(frame)
        pages += not image.tag_v2.get(SUBFILE_TYPE, 0) & 1  # type: ignore[attr-defined] # of tiff alone
    image.seek(0)
    if pages > 1:
        raise ValueError(
            f"Expected one picture in {Path(path).name}, found {pages} pages; save each as a picture of its own."
        )


def _picture_to_rgb(image: Image.Image) -> np.ndarray:
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return to_uint8(np.asarray(image))
    if image.mode in ("P", "PA"):
        image = image.convert("RGBA")  # a palette with transparent entries has no direct way to RGB
    return np.asarray(image.convert("RGB"))


class _Huge(ValueError):
    pass


def _refuse_huge(shape: Any, path: str | Path) -> None:
    """Pillow's own limit, for the formats that Pillow does not read: a header can promise more than memory holds."""
    limit = 2 * (Image.MAX_IMAGE_PIXELS or sys.maxsize)
    if np.prod([int(n) for n in shape], dtype=float) > limit:
        size = " x ".join(str(int(n)) for n in shape)
        raise _Huge(f"Expected at most {limit} pixels in {Path(path).name}, found {size}; export a smaller image.")


def _other_content(path: str | Path, expected: str) -> ValueError:
    return ValueError(f"Expected a {expected} in {Path(path).name}, found other content; export or copy it again.")


def _serve() -> None:
    """Answer paths from the standard input with ``A``, size and pixels, or ``E`` and a sentence, until it is closed."""
    answers, requests = os.fdopen(os.dup(1), "wb"), sys.stdin.buffer
    os.dup2(2, 1)  # what a decoder prints is no answer
    warnings.simplefilter("ignore")
    logging.disable()
    _limit_memory()
    while head := requests.read(4):
        path = Path(os.fsdecode(requests.read(*struct.unpack("<I", head))))
        try:
            pixels = read_rgb(path)
            answers.write(b"A" + struct.pack("<2I", *pixels.shape[:2]) + pixels.tobytes())
        except Exception as error:  # decoders of damaged files raise nearly everything
            text = str((isinstance(error, OSError) and error.strerror) or error or type(error).__name__)
            reply = json.dumps(text).encode()
            answers.write(b"E" + struct.pack("<I", len(reply)) + reply)
        answers.flush()


def _limit_memory() -> None:
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    except (ImportError, ValueError, OSError):
        return  # not on every system


if __name__ == "__main__":
    _serve()
