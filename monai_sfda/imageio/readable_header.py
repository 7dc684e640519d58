"""The patient and study of a DICOM header, in a form that can be written anew."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

__all__ = ["readable_header"]

SEXES = ("M", "F", "O", "")


def readable_header(data: Any, names: Iterable[str]) -> None:
    """Decode the text of a header, for Unicode (ISO_IR 192), and empty what cannot be read.

    Args:
        data: a `pydicom.Dataset`, changed in place.
        names: keywords of elements that have to be there and may be empty (type 2).
    """
    data.decode()
    data.SpecificCharacterSet = "ISO_IR 192"
    for name in names:
        if name not in data or not _readable(data[name]):
            setattr(data, name, None)
        elif data[name].VR == "PN":
            setattr(data, name, str(data[name].value))


def _readable(element: Any) -> bool:
    from pydicom.valuerep import DA, TM

    if element.keyword == "PatientSex":
        return element.value in SEXES
    try:
        {"DA": DA, "TM": TM}.get(element.VR, str)(element.value)
    except (ValueError, TypeError, OverflowError):
        return False
    return True
