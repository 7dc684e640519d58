"""What the header of a DICOM file says of the slices in it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from monai_sfda.reading.dicom_header import GROUPS, open_dicom
from monai_sfda.reading.dicom_needed import LABEL_MAPS, require_pydicom

__all__ = ["CLOCK", "Slice", "frames_of", "slices_of"]

TIMES = (
    ("TemporalPositionIdentifier", "TemporalPositionIndex"),
    ("TriggerTime", "NominalCardiacTriggerDelayTime"),
    ("FrameAcquisitionDateTime",),
    ("AcquisitionDate",),
    ("AcquisitionTime",),
)
"""What tells the images at one position apart: the first that differs. By its name in old and in enhanced files."""
CLOCK = len(TIMES) - 1
"""Where in `Slice.time` the time of the day is, as the number HHMMSS; 0 where it is not said."""
TAGS = [
    *("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "SeriesNumber", "InstanceNumber"),
    *("FrameOfReferenceUID", "Modality", "Rows", "Columns", "NumberOfFrames", "PhotometricInterpretation"),
    "PixelSpacing",
    *("ImagePositionPatient", "ImageOrientationPatient", "SpacingBetweenSlices", "SliceThickness"),
    *("RescaleSlope", "RescaleIntercept", *(name for names in TIMES for name in names), *GROUPS),
]


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
    modality: str
    grey: bool
    size: tuple[int, int]
    """Rows and columns."""
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
    rescale: tuple[float, float]
    """Slope and intercept."""
    time: tuple[float, ...]
    """In this order images at one position follow each other."""


def slices_of(path: str | Path) -> list[Slice]:
    """The slices of a file by its header; none, if it holds no images, as reports and segmentations do.

    Raises:
        ImportError: if pydicom is not installed.
        pydicom.errors.InvalidDicomError: if the file is not DICOM; whatever pydicom raises for a damaged one.
    """
    require_pydicom(Path(path).name)
    data = open_dicom(path, stop_before_pixels=True, specific_tags=TAGS)
    if data.get("SOPClassUID") in LABEL_MAPS or not data.get("Rows"):
        return []
    return frames_of(data, path)


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
    instance = _number(said["InstanceNumber"])
    called = Path(path).name if instance is None else f"{instance:g}"
    times = [next((n for n in (_number(said[name]) for name in names) if n is not None), 0.0) for names in TIMES]
    thickness = _number(said["SpacingBetweenSlices"]) or _number(said["SliceThickness"])
    return Slice(
        path=path,
        frame=frame,
        called=called if frame is None else f"{frame + 1}",
        uid=f"{said['SOPInstanceUID'] or path} {number}",
        study=_text(said["StudyInstanceUID"]),
        series=_text(said["SeriesInstanceUID"]),
        series_number=_text(said["SeriesNumber"]),
        modality=_text(said["Modality"]) or "",
        grey=str(said["PhotometricInterpretation"]).startswith("MONOCHROME"),
        size=(int(data.Rows), int(data.get("Columns") or 0)),
        spacing=_numbers(said["PixelSpacing"], 2, positive=True),
        position=_numbers(said["ImagePositionPatient"], 3),
        axes=_numbers(said["ImageOrientationPatient"], 6),
        reference=_text(said["FrameOfReferenceUID"]),
        thickness=abs(thickness) if thickness else None,
        rescale=(_number(said["RescaleSlope"]) or 1.0, _number(said["RescaleIntercept"]) or 0.0),
        time=(*times, instance or 0.0, float(number)),
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


def _numbers(values: Any, count: int, *, positive: bool = False) -> tuple[float, ...] | None:
    try:
        numbers = np.array([float(value) for value in values or ()])
    except (TypeError, ValueError):
        return None
    if len(numbers) != count or not np.isfinite(numbers).all() or (positive and not (numbers > 0).all()):
        return None
    return tuple(numbers.tolist())
