"""The pixels of a DICOM file with one frame, and for how many frames there are pixels."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image

from monai_sfda.reading.dicom_bits import used_bits
from monai_sfda.reading.dicom_needed import FLOATS
from monai_sfda.reading.jpeg import said_colours
from monai_sfda.reading.stored import Refused

__all__ = ["frame_pixels", "require_frames"]

JPEG, JPEG_2000 = b"\xff\xd8", b"\xff\x4f\xff\x51"  # with which a frame begins
JP2 = b"\0\0\0\x0cjP  \r\n\x87\n"  # or as a file of its own, in which the stream of JPEG 2000 comes later
RGB_SAID = JPEG + b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0\0"  # APP14: colours were not transformed
MULTIPLE_COMPONENTS = b"\xff\x52"  # the marker of JPEG 2000 that says whether colours were transformed


def frame_pixels(data: Any, name: str) -> np.ndarray:
    """(H, W) or (H, W, 3) of RGB, of a dataset that `require_elements` has passed.

    Raises:
        ValueError: if there are pixels for less or more than one frame.
    """
    from pydicom import uid
    from pydicom.pixels import pixel_array

    frames = _frames_stored(data, name)
    if frames > 1:
        raise Refused(
            f"Expected one DICOM image in {name}, found pixels for {frames} frames; export single photographs."
        )
    syntax = data.file_meta.TransferSyntaxUID
    if syntax.is_encapsulated:
        frame = b"".join(_fragments(data)[1])
        if syntax in (uid.JPEGBaseline8Bit, uid.JPEGExtended12Bit) and _jpeg_bits(frame) == 8:
            return _jpeg(frame, data, name)
        if _transformed(frame):
            data.PhotometricInterpretation = "RGB"  # to which the decoder turns it back, whatever the header says
    return used_bits(pixel_array(data, correct_unused_bits=False), data, name)  # also turns YBR into RGB


def require_frames(data: Any, name: str) -> None:
    """Refuse pixels for more or fewer frames than the header says."""
    said, found = _frames_said(data), _frames_stored(data, name)
    if found > said:
        raise Refused(
            f"Expected a NumberOfFrames of {found} in {name}, which has pixels for {found} frames, found "
            f"{data.get('NumberOfFrames') or 'none'}; export it again."
        )
    if 0 < found < said:
        raise Refused(f"Expected pixels for {said} frames in {name}, found them for {found}; export it again.")


def _frames_said(data: Any) -> int:
    return max(int(data.get("NumberOfFrames") or 1), 1)


def _frames_stored(data: Any, name: str) -> int:
    """How many frames there are pixels for; 0 if compressed ones do not tell.

    Raises:
        ValueError: if pixels without compression are fewer than the header says, or not for whole frames.
    """
    if not data.file_meta.TransferSyntaxUID.is_encapsulated:
        return _whole_frames(data, name)
    from pydicom.uid import RLELossless

    offsets, fragments = _fragments(data)
    whole = data.file_meta.TransferSyntaxUID == RLELossless  # of which each fragment is a frame
    begins = sum(whole or fragment.startswith((JPEG, JPEG_2000, JP2)) for fragment in fragments)
    return max(begins, offsets)


def _whole_frames(data: Any, name: str) -> int:
    """Without compression; a row more or less is another image, whatever the header says."""
    from pydicom.pixels.utils import get_expected_length

    if data.BitsAllocated % 8 and data.BitsAllocated != 1:
        raise Refused(
            f"Expected whole bytes as Bits Allocated in {name}, found {data.BitsAllocated} bits; export it again."
        )
    said = _frames_said(data)
    expected = get_expected_length(data)
    found = next((len(data[pixels].value) for pixels in ("PixelData", *FLOATS) if pixels in data), 0)
    frame = expected // said
    row = max(frame // data.Rows, 2)
    if expected <= found < expected + row:
        return said
    if found >= expected + frame:
        return found // frame
    size = f"{data.Columns} x {data.Rows}" if said == 1 else f"{said} frames of {data.Columns} x {data.Rows}"
    raise Refused(f"Expected {expected} bytes of pixels in {name} ({size}), found {found}; export it again.")


def _fragments(data: Any) -> tuple[int, Iterator[bytes]]:
    """How many frames the table of offsets names, and the pieces of compressed pixels."""
    from pydicom.encaps import generate_fragments, parse_basic_offsets

    content = io.BytesIO(data.PixelData)
    return len(parse_basic_offsets(content)), generate_fragments(content)


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
        if data.PhotometricInterpretation == "RGB" and said_colours(image) is None and not frame.startswith(RGB_SAID):
            return _jpeg(RGB_SAID + frame[2:], data, name)
        mode = "L" if data.SamplesPerPixel == 1 else "RGB"
        if image.mode != mode or image.size != (data.Columns, data.Rows):
            raise Refused(
                f"Expected in {name} {data.Columns} x {data.Rows} pixels of {mode}, as its header says, found a jpeg "
                f"of {image.width} x {image.height} pixels of {image.mode}; export it again."
            )
        return np.asarray(image)


def _transformed(frame: bytes) -> bool:
    """Whether a JPEG 2000 stream holds transformed colours."""
    begin = frame.find(JPEG_2000) if frame.startswith((JPEG_2000, JP2)) else -1
    place = frame.find(MULTIPLE_COMPONENTS, begin)
    return begin >= 0 and 0 < place < len(frame) - 8 and frame[place + 8] == 1
