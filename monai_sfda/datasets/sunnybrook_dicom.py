"""The Sunnybrook cardiac data as DICOM series and contours, from cardiacatlas.org or from the challenge of 2009.

Images are ``SCD0000101/CINESAX_300/IM-0003-0048.dcm`` (cardiacatlas.org; scd_patientdata.csv says who SCD0000101 is) or
``SC-HF-I-01/DICOM/IM-0001-0048.dcm``; their contours ``SC-HF-I-01/contours-manual/IRCCI-expert/
IM-0001-0048-icontour-manual.txt``. The last number joins them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import nibabel as nib
import numpy as np
from PIL import Image, ImageDraw

from monai_sfda.datasets.cine import Slice, frames, stack
from monai_sfda.datasets.dicom_stack import read_slice, stack_image
from monai_sfda.datasets.files import Found, find_files, first_of
from monai_sfda.datasets.labelled_volumes import Case
from monai_sfda.tables import read_csv

__all__ = ["find_dicom", "load_dicom"]

SERIES = r"(?P<name>(?P<split>SC-[A-Z-]+\d+/DICOM|SCD\d+/CINESAX[^/]*)/IM-\d+-\d+)\.dcm"
CONTOURS = r"(?P<name>(?P<split>SC-[A-Z-]+\d+)/contours-manual/IRCCI-expert/IM-\d+-\d+)-icontour-manual\.txt"
PATIENTS = r"(?P<name>scd_patientdata)\.csv"


def find_dicom(source: Path) -> dict[str, tuple[Case, list[Slice]]]:
    """Two volumes per patient, see `frames`.

    Raises:
        OSError: if there are no contours or no series.
        ValueError: if the image of a contour is missing, or two series could be meant.
    """
    contours = _by_number(
        find_files(source, CONTOURS, "SC-HF-I-01/contours-manual/IRCCI-expert/IM-0001-0048-icontour-manual.txt"), {}
    )
    series = find_files(source, SERIES, "SCD0000101/CINESAX_300/IM-0003-0048.dcm")
    images = _by_number(series, _patients(source) if any("SCD" in name for name in series) else {})
    lacking = [f"{patient} {number}" for patient, number in contours.keys() - images.keys()]
    if lacking:
        raise ValueError(
            f"Expected an image for each contour, found none for {len(lacking)} ({first_of(lacking)}); "
            "complete the download."
        )
    contoured = {patient for patient, _ in contours}
    slices = [
        Slice(patient, number, image, contours.get((patient, number)))
        for (patient, number), image in images.items()
        if patient in contoured
    ]
    return frames(slices, _area, {"spacing": "DICOM", "position": "DICOM"})


def load_dicom(slices: Sequence[Slice]) -> tuple[nib.Nifti1Image, np.ndarray]:
    """Image (W, H, slices) with the values and the position of the series, and class ids, 1 for the cavity.

    Raises:
        ValueError: if the slices do not lie one behind the other at equal distances, or a contour leaves its image.
    """
    files = [read_slice(one.image) for one in slices]
    shape = files[0].pixel_array.shape
    return stack_image(files), stack([_inside(one.contour, shape) for one in slices])


def _patients(source: Path) -> dict[str, str]:
    """Patient of cardiacatlas.org -> patient of the challenge."""
    (table,) = find_files(source, PATIENTS, "scd_patientdata.csv").values()
    return {row["PatientID"]: row["OriginalID"] for row in read_csv(table.path, ["PatientID", "OriginalID"])}


def _by_number(files: Mapping[str, Found], patients: Mapping[str, str]) -> dict[tuple[str, int], Path]:
    """Files by patient, whose number has two digits, and number in the series."""
    found: dict[tuple[str, int], Path] = {}
    for name, file in files.items():
        folder = file.split.split("/")[0]
        patient = re.sub(r"\d+$", lambda digits: f"{int(digits[0]):02d}", patients.get(folder, folder))
        key = (patient, int(name.rsplit("-", 1)[1]))
        if key in found:
            raise ValueError(
                f"Expected one file for image {key[1]} of {patient}, found {found[key]} and {file.path}; remove the "
                "series that is not the short axis."
            )
        found[key] = file.path
    return found


def _points(path: Path) -> np.ndarray:
    """(N, 2) columns and rows."""
    try:
        points = np.loadtxt(path, ndmin=2)
    except ValueError as error:
        raise ValueError(f"Expected two numbers a line in {path.name}, found: {error}; download it again.") from error
    if points.ndim != 2 or points.shape[1] != 2 or len(points) < 3:
        raise ValueError(f"Expected the points of a contour in {path.name}, found fewer than 3; download it again.")
    return points


def _area(one: Slice) -> float:
    """Area in pixels, by the shoelace formula."""
    assert one.contour
    x, y = _points(one.contour).T
    return float(abs(x @ np.roll(y, 1) - y @ np.roll(x, 1)) / 2)


def _inside(contour: Path | None, shape: tuple[int, int]) -> np.ndarray:
    """(H, W) uint8: 1 on a contour and inside, as in the published PNG form."""
    picture = Image.new("L", shape[::-1])
    if contour is not None:
        points = _points(contour).astype(int)
        if points.min() < 0 or (points >= shape[::-1]).any():
            raise ValueError(f"Expected {contour.name} inside its image, found points beyond; download both again.")
        ImageDraw.Draw(picture).polygon([(int(x), int(y)) for x, y in points], fill=1, outline=1)
    return np.asarray(picture)
