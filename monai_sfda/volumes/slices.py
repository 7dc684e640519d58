"""What the header of a DICOM file says of the slices in it."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from monai_sfda.reading.dicom_header import GROUPS, open_dicom
from monai_sfda.reading.dicom_needed import LABEL_MAPS, require_pydicom

__all__ = ["CLOCK", "TIMES", "Slice", "frames_of", "slices_of"]

TIMES = (
    ("TemporalPositionIdentifier", "TemporalPositionIndex"),
    ("TriggerTime", "NominalCardiacTriggerDelayTime"),
    ("FrameAcquisitionDateTime",),
    ("AcquisitionDate",),
    ("AcquisitionTime",),
    ("InstanceNumber",),
)
"""What tells the images at one position apart: the first that differs. By its name in old and in enhanced files."""
CLOCK = TIMES.index(("AcquisitionTime",))
"""Where in `Slice.time` the time of the day is, as the number HHMMSS; 0 where it is not said."""
TAGS = [
    *("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "SeriesNumber", "PatientID"),
    *("FrameOfReferenceUID", "Modality", "Rows", "Columns", "NumberOfFrames", "PhotometricInterpretation"),
    *("ImageType", "PixelSpacing"),
    *("ImagePositionPatient", "ImageOrientationPatient", "SpacingBetweenSlices", "SliceThickness"),
    *("RescaleSlope", "RescaleIntercept", *(name for names in TIMES for name in names), *GROUPS),
]
WITH_PIXELS = ("Image Storage", "RT Dose Storage", "Parametric Map Storage")
"""In the names of the kinds of DICOM files that hold images."""
AFTER_THE_CLASS = ("SOPInstanceUID", "Modality", "StudyInstanceUID")
"""Elements of nearly every file, behind SOPClassUID: with one of them it is whole."""
LARGEST = 2**31
"""Beyond what DICOM takes for a whole number."""


class Slice(NamedTuple):
    """One image of a series; what its file does not say is None."""

    path: str
    frame: int | None
    """Which one of a file of several, from 0."""
    called: str
    """What sentences call it: its number in the series, which viewers show."""
    uid: str
    study: str | None
    series: str | None
    series_number: str | None
    """A whole number, as the file writes it where that has only digits."""
    patient: str | None
    """To compare, never to be shown."""
    modality: str
    grey: bool
    inverted: bool
    """Whether the smallest level is white."""
    mosaic: bool
    """Whether it shows all slices of a volume side by side."""
    size: tuple[int, int]
    """Rows and columns; 0 of a file that ends within its header."""
    spacing: tuple[float, ...] | None
    """Distances of rows and of columns in mm."""
    position: tuple[float, ...] | None
    """Of the centre of the first pixel: left, back, head in mm."""
    axes: tuple[float, ...] | None
    """Directions of a row (along the columns) and of a column: left, back, head."""
    reference: str | None
    """Frame of reference."""
    thickness: float | None
    """Distance to the next slice, or thickness, in mm."""
    apart: float | None
    """Distance to the next slice in mm, if the file says it."""
    rescale: tuple[float, float]
    """Slope and intercept; NaN where the file says something else than a number."""
    time: tuple[float, ...]
    """In this order images at one position follow each other: by `TIMES`, 0 where none is said, then by the frame."""
    no_time: tuple[str, ...]
    """Of each of `TIMES` what the file says instead of a number; to compare, never to be shown."""


def slices_of(path: str | Path) -> list[Slice]:
    """The slices of a file by its header; none, if it is of a kind without images, as reports and segmentations are.

    Raises:
        ImportError: if pydicom is not installed.
        pydicom.errors.InvalidDicomError: if the file is not DICOM; whatever pydicom raises for a damaged one.
    """
    require_pydicom(Path(path).name)
    data = open_dicom(path, stop_before_pixels=True, specific_tags=TAGS)
    if data.get("SOPClassUID") in LABEL_MAPS or (not data.get("Rows") and _is_without_pixels(data)):
        return []
    return frames_of(data, path)


def _is_without_pixels(data: Any) -> bool:
    """Whether a header says that its kind of file holds no images; one that is cut short may not say it."""
    from pydicom.uid import UID, MediaStorageDirectoryStorage

    said, meta = data.get("SOPClassUID"), getattr(data, "file_meta", {}).get("MediaStorageSOPClassUID")
    names = [UID(str(kind)).name for kind in (said, meta) if kind]
    whole = said and any(data.get(name) for name in AFTER_THE_CLASS)
    without = not any(kind in name for name in names for kind in WITH_PIXELS)
    return meta == MediaStorageDirectoryStorage or (bool(whole) and without)


def frames_of(data: Any, path: str | Path) -> list[Slice]:
    """The frames of a header, of label maps too."""
    several = int(data.get("NumberOfFrames") or 1) > 1
    own = data.get(GROUPS[1]) or []
    frames = range(max(int(data.get("NumberOfFrames") or 1), 1))
    return [_slice(data, str(path), number if several else None, own) for number in frames]


def _slice(data: Any, path: str, frame: int | None, own: Any) -> Slice:
    number = frame or 0
    groups = [*([own[number]] if number < len(own) else []), *(data.get(GROUPS[0]) or [])]
    said = {name: _said(data, groups, name) for name in TAGS if name not in GROUPS}
    instance = _whole(said["InstanceNumber"])
    called = Path(path).name if instance is None else str(instance)
    times, other_text = zip(*(_time([said[name] for name in names]) for names in TIMES), strict=True)
    apart, thickness = (abs(_number(said[name]) or 0) or None for name in ("SpacingBetweenSlices", "SliceThickness"))
    return Slice(
        path=path,
        frame=frame,
        called=called if frame is None else f"{frame + 1}",
        uid=f"{said['SOPInstanceUID'] or path} {number}",
        study=_text(said["StudyInstanceUID"]),
        series=_text(said["SeriesInstanceUID"]),
        series_number=_digits(said["SeriesNumber"]),
        patient=_text(said["PatientID"]),
        modality=_text(said["Modality"]) or "",
        grey=said["PhotometricInterpretation"] in ("MONOCHROME1", "MONOCHROME2"),
        inverted=said["PhotometricInterpretation"] == "MONOCHROME1",
        mosaic=frame is None and "MOSAIC" in str(said["ImageType"]),
        size=(int(data.get("Rows") or 0), int(data.get("Columns") or 0)),
        spacing=_numbers(said["PixelSpacing"], 2, positive=True),
        position=_numbers(said["ImagePositionPatient"], 3),
        axes=_numbers(said["ImageOrientationPatient"], 6),
        reference=_text(said["FrameOfReferenceUID"]),
        thickness=apart or thickness,
        apart=apart,
        rescale=(_stated(said["RescaleSlope"]) or 1.0, _stated(said["RescaleIntercept"]) or 0.0),
        time=(*times, float(number)),
        no_time=other_text,
    )


def _said(data: Any, groups: list[Any], name: str) -> Any:
    """What the groups of a frame, then those of all frames, then the file say."""
    for group in groups:
        for macro in group:
            if macro.VR == "SQ" and macro.value and name in macro.value[0]:
                return macro.value[0].get(name)
    return data.get(name)


def _text(value: Any) -> str | None:
    return None if value in (None, "") else str(value)


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _whole(value: Any) -> int | None:
    """A number of those that name a thing; any other text may be a patient's, or lead out of a folder."""
    number = _number(value)
    return int(number) if number is not None and number.is_integer() and abs(number) < LARGEST else None


def _digits(value: Any) -> str | None:
    """The text of a number as of `_whole`: as it is written, with its zeros, where it has only digits and a sign."""
    number, text = _whole(value), str(value).strip()
    return None if number is None else text if re.fullmatch("[+-]?[0-9]+", text) else str(number)


def _stated(value: Any) -> float | None:
    """The first of one or several numbers; None if there is none, NaN if it is something else."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        value = value[0] if value else None
    if value is None or not str(value).strip():
        return None
    number = _number(value)
    return math.nan if number is None else number


def _time(values: Sequence[Any]) -> tuple[float, str]:
    """The first that is stated, 0 if none is; and the text that it is, if it is no number."""
    for value in values:
        moment = _moment(value)
        if moment is not None:
            return (0.0, str(value)) if math.isnan(moment) else (moment, "")
    return 0.0, ""


def _moment(value: Any) -> float | None:
    """As `_stated`, also of dates and times: without the zone, and as old files write them, 2020.01.02 and 12:00:30."""
    if isinstance(value, str):
        value = re.sub(r"(?<=\d)[+-]\d{4}$|:", "", value.strip())
        value = value.replace(".", "") if value.count(".") > 1 else value
    return _stated(value)


def _numbers(values: Any, count: int, *, positive: bool = False) -> tuple[float, ...] | None:
    try:
        numbers = np.array([float(value) for value in values or ()])
    except (TypeError, ValueError):
        return None
    if len(numbers) != count or not np.isfinite(numbers).all() or (positive and not (numbers > 0).all()):
        return None
    return tuple(numbers.tolist())
