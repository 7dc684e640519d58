"""The pixels of a DICOM file with one frame."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image

from monai_sfda.reading.dicom_bits import used_bits
from monai_sfda.reading.stored import Refused

__all__ = ["frame_pixels"]

JPEG, JPEG_2000 = b"\xff\xd8", b"\xff\x4f\xff\x51"  # with which a frame begins
RGB_SAID = JPEG + b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0\0"  # APP14: colours were not transformed
USUAL = ([1, 2, 3], list(b"RGB"))  # names of the components of YBR and of RGB
MULTIPLE_COMPONENTS = b"\xff\x52"  # the marker of JPEG 2000 that says whether colours were transformed


def frame_pixels(data: Any, name: str) -> np.ndarray:
    """(H, W) or (H, W, 3) of RGB, of a dataset that `require_elements` has passed.

    Raises:
        ValueError: if there are pixels for less or more than one frame.
    """
    from pydicom import uid
    from pydicom.pixels import pixel_array

    syntax = data.file_meta.TransferSyntaxUID
    if syntax.is_encapsulated:
        frame = _only_frame(data, name)
        if syntax in (uid.JPEGBaseline8Bit, uid.JPEGExtended12Bit) and _jpeg_bits(frame) == 8:
            return _jpeg(frame, data, name)
        if _transformed(frame):
            data.PhotometricInterpretation = "RGB"  # to which the decoder turns it back, whatever the header says
    else:
        _refuse_other_length(data, name)
    pixels = pixel_array(data, correct_unused_bits=False)  # also turns YBR into RGB
    return pixels if syntax.is_encapsulated or pixels.dtype.kind not in "ui" else used_bits(pixels, data, name)


def _refuse_other_length(data: Any, name: str) -> None:
    """Less than one frame, or a row more than one: another image, whatever the header says."""
    from pydicom.pixels.utils import get_expected_length

    found, expected = len(data.PixelData), get_expected_length(data)
    row = max(expected // data.Rows, 2)
    if expected <= found < expected + row:
        return
    if found >= 2 * expected:
        raise Refused(
            f"Expected one DICOM image in {name}, found pixels for {found // expected} frames; export single "
            "photographs."
        )
    raise Refused(
        f"Expected {expected} bytes of pixels in {name} ({data.Columns} x {data.Rows}), found {found}; export it again."
    )


def _only_frame(data: Any, name: str) -> bytes:
    from pydicom import uid
    from pydicom.encaps import generate_fragments, parse_basic_offsets

    content = io.BytesIO(data.PixelData)
    offsets = parse_basic_offsets(content)
    fragments = list(generate_fragments(content))
    whole = data.file_meta.TransferSyntaxUID == uid.RLELossless  # of which each fragment is a frame
    begins = sum(whole or fragment.startswith((JPEG, JPEG_2000)) for fragment in fragments)
    frames = max(begins, len(offsets))
    if frames > 1:
        raise Refused(
            f"Expected one DICOM image in {name}, found pixels for {frames} frames; export single photographs."
        )
    return b"".join(fragments)


def _jpeg_bits(frame: bytes) -> int:
    """Of a sample, as the frame header of the stream says; 0 if it has none of the usual ones."""
    place = 2
    while place + 5 <= len(frame) and frame[place] == 0xFF:
        marker, length = frame[place + 1], int.from_bytes(frame[place + 2 : place + 4], "big")
        if marker in (0xC0, 0xC1, 0xC2):
            return frame[place + 4]
        place += 2 + length
    return 0


def _jpeg(frame: bytes, data: Any, name: str) -> np.ndarray:
    """By Pillow, which tells RGB from YBR by the stream (APP14, JFIF, names of components): headers are often wrong."""
    with Image.open(io.BytesIO(frame), formats=("JPEG",)) as image:
        if data.PhotometricInterpretation == "RGB" and _says_no_colours(image) and not frame.startswith(RGB_SAID):
            return _jpeg(RGB_SAID + frame[2:], data, name)
        mode = "L" if data.SamplesPerPixel == 1 else "RGB"
        if image.mode != mode or image.size != (data.Columns, data.Rows):
            raise Refused(
                f"Expected in {name} {data.Columns} x {data.Rows} pixels of {mode}, as its header says, found a jpeg "
                f"of {image.width} x {image.height} pixels of {image.mode}; export it again."
            )
        return np.asarray(image)


def _says_no_colours(image: Any) -> bool:
    """Whether nothing in a JPEG stream tells RGB from YBR, so that the header has to."""
    components = [component for component, *_ in image.layer]
    return not {"jfif", "adobe_transform"} & image.info.keys() and components not in USUAL


def _transformed(frame: bytes) -> bool:
    """Whether a JPEG 2000 stream holds transformed colours."""
    place = frame.find(MULTIPLE_COMPONENTS)
    return frame.startswith(JPEG_2000) and 0 < place < len(frame) - 8 and frame[place + 8] == 1
