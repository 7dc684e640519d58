"""Volumes of DICOM files: a series of images, or one file of many frames."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from monai_sfda.reading.dicom_bits import used_bits
from monai_sfda.reading.dicom_frame import frame_pixels, require_frames
from monai_sfda.reading.dicom_greys import padding_pixels, table_entries, table_index
from monai_sfda.reading.dicom_header import open_dicom
from monai_sfda.reading.dicom_needed import complete_file_meta, require_elements
from monai_sfda.reading.kind import other_content
from monai_sfda.reading.stored import Refused, refuse_huge
from monai_sfda.volumes.arrange import arranged, series_affine
from monai_sfda.volumes.slices import Slice, slices_of
from monai_sfda.volumes.volume import MOST_VOXELS, Volume

__all__ = ["read_series", "series_frame"]


def read_series(paths: Sequence[str], frame: int | None = None) -> Volume:
    """Read one volume: columns, rows, slices; levels through the modality's table or line, bright meaning bright.

    Args:
        paths: the files of one series, in any order.
        frame: which image of those at each position, from 0; a series with several has no volume without it.

    Raises:
        ImportError: if pydicom is not installed.
        ValueError: if the files are not the slices of one volume, or cannot be decoded.
    """
    slices = series_frame(paths, frame)
    first = slices[0]
    refuse_huge((*first.size, len(slices)), first.path, MOST_VOXELS)
    values = _values(slices)
    measured = first.spacing is not None and (len(slices) > 1 or first.thickness is not None)
    placed = first.position is not None
    return Volume(values.transpose(2, 1, 0), series_affine(slices), placed, measured, first.spacing is not None)


def series_frame(paths: Sequence[str], frame: int | None = None) -> list[Slice]:
    """The slices of one volume in the order of the volume, see `read_series`."""
    slices = [one for path in paths for one in _slices(path)]
    if not slices:
        raise Refused("Expected a series of images, found DICOM files without pixels; leave them out.")
    frames = arranged(slices)
    if len(frames) > 1 and frame is None:
        raise Refused(
            f"Expected one image at each position of the series, found {len(frames)} frames; name those to read, such "
            f"as --frames 0,{len(frames) // 2}, or read all of them with --frames all."
        )
    if frame is not None and not 0 <= frame < len(frames):
        raise Refused(f"Expected a frame from 0 to {len(frames) - 1} of the series, found {frame}; correct --frames.")
    return frames[frame or 0]


def _values(slices: Sequence[Slice]) -> np.ndarray:
    """(slices, rows, columns) float32; padding is as dark as the darkest pixel of all."""
    values = np.empty((len(slices), *slices[0].size), np.float32)
    padding = np.zeros(values.shape, bool)
    opened: tuple[str, Any] = ("", None)  # frames of one file follow each other
    for number, one in enumerate(slices):
        try:
            if opened[0] != one.path:
                opened = one.path, open_dicom(one.path)
                _require_pixels(opened[1], one)
            values[number], padding[number] = _levels(opened[1], one)
        except (ImportError, Refused):
            raise
        except Exception as error:  # as varied as damaged files; what pydicom says may quote a patient
            if getattr(error, "strerror", None):
                raise
            raise _undecodable(opened[1], one, error) from None
    if padding.any() and not padding.all():
        values[padding] = values.min(where=~padding, initial=np.inf)
    return values


def _slices(path: str) -> list[Slice]:
    try:
        return slices_of(path)
    except ImportError:
        raise
    except Exception as error:  # as varied as damaged headers; what pydicom says may quote a patient
        if getattr(error, "strerror", None):
            raise
        if type(error).__name__ == "InvalidDicomError":
            raise other_content(path, "DICOM image") from None
        raise Refused(
            f"Expected a DICOM header in {Path(path).name}, found one that cannot be read ({type(error).__name__}); "
            "export it again."
        ) from None


def _require_pixels(data: Any, one: Slice) -> None:
    name = f"image {one.called}" if one.frame is None else Path(one.path).name
    if one.frame is None:
        require_elements(data, name)
    else:
        complete_file_meta(data)
    require_frames(data, name)


def _levels(data: Any, one: Slice) -> tuple[np.ndarray, np.ndarray]:
    """(rows, columns) float32 of one slice, bright meaning bright, and which of them are padding."""
    pixels = _pixels(data, one)
    levels = _rescaled(pixels, data, one)
    return -levels if one.inverted else levels, padding_pixels(pixels, data)


def _undecodable(data: Any, one: Slice, error: Exception) -> Refused:
    stored = getattr(data, "file_meta", {}).get("TransferSyntaxUID")
    name = getattr(stored, "name", "")
    how = f", stored as {name}" if name != stored and name.isprintable() else ""  # what has no name may be any text
    compressed = stored is not None and stored.is_transfer_syntax and stored.is_encapsulated
    remedy = ", without compression" if compressed else ""
    return Refused(
        f"Expected images that can be decoded in the series, found image {one.called} that cannot "
        f"({type(error).__name__}{how}); export the series again{remedy}."
    )


def _pixels(data: Any, one: Slice) -> np.ndarray:
    name = f"image {one.called}"
    if one.frame is None:
        return frame_pixels(data, name)
    from pydicom.pixels import pixel_array

    return used_bits(pixel_array(data, index=one.frame, correct_unused_bits=False), data, name)


def _rescaled(pixels: np.ndarray, data: Any, one: Slice) -> np.ndarray:
    if data.get("ModalityLUTSequence"):
        table = data.ModalityLUTSequence[0]
        count, first, _ = (int(number) for number in table.LUTDescriptor)
        entries = table_entries(table["LUTData"].value, count, data)
        return entries[table_index(pixels, first, len(entries), data.PixelRepresentation == 1)].astype(np.float32)
    slope, intercept = one.rescale
    return pixels.astype(np.float32) * np.float32(slope) + np.float32(intercept)
