"""Turn a downloaded dataset into ``OUT/{image,mask}/NAME.nii.gz`` and ``index.csv``, complete or not at all.

Shapes: X, Y and Z are the axes of the file.
"""

from __future__ import annotations

import shutil
import zlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import nibabel as nib
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError
from tqdm import tqdm

from monai_sfda.datasets.nifti_pair import size_of
from monai_sfda.datasets.whole import make_whole, refuse_unusable
from monai_sfda.tables import write_csv

__all__ = ["Case", "prepare_volumes"]


class Case(NamedTuple):
    """A volume of a download and its reference segmentation."""

    name: str
    files: tuple[Path, ...]
    """All that it is read from."""
    about: Mapping[str, object]
    """Its row of ``index.csv``: column -> value."""
    subset: str = ""
    """Folder below OUT, such as a sequence of the scanner."""


Load = Callable[[Case], tuple[nib.Nifti1Image, np.ndarray]]


def prepare_volumes(
    cases: Sequence[Case],
    load: Load,
    *,
    out: Path,
    settings: Mapping[str, object],
    notice: str | None = None,
    may_be_empty: bool = False,
    progress: bool = True,
) -> str:
    """Write the dataset as `make_whole` does, and return its sentence.

    An image that was read from a file NAME.nii.gz is copied as it is. ``index.csv`` has one row per volume: ``file``
    (relative to the folder that holds ``image``) and what the case says ``about`` itself.

    Args:
        cases: what to write.
        load: gives the image (X, Y, Z) and the class ids (X, Y, Z) of a case.
        out: new or empty folder, or one of an earlier run.
        settings: what else decides about the files, JSON values.
        notice: what the dataset's licence wants to stand beside it; becomes ``NOTICE.txt``.
        may_be_empty: whether a label may hold background only, as single slices do.

    Raises:
        ValueError: if two cases have one name, a file cannot be used, ``out`` holds something else, or the download or
            the files written differ from those of the first run.
    """
    twice = [case for case, uses in Counter((case.subset, case.name) for case in cases).items() if uses > 1]
    if twice:
        raise ValueError(f"Expected one volume of each name, found two of {twice[0][1]}; remove one.")
    counts = dict(sorted(Counter(case.subset for case in cases).items()))
    listed = ", ".join(f"{subset} {count}".strip() for subset, count in counts.items()) + " volumes"

    def write(draft: Path) -> None:
        _write_volumes(cases, load, draft, may_be_empty, progress)
        for subset in counts:
            rows = [{"file": f"{case.name}.nii.gz", **case.about} for case in cases if case.subset == subset]
            write_csv(draft / subset / "index.csv", list(dict.fromkeys(name for row in rows for name in row)), rows)
        if notice is not None:
            (draft / "NOTICE.txt").write_text(notice, encoding="utf-8")

    read = [path for case in cases for path in case.files]
    return make_whole(out, {**settings, "volumes": counts}, read, listed, write)


def _write_volumes(cases: Sequence[Case], load: Load, folder: Path, may_be_empty: bool, progress: bool) -> None:
    """All volumes, or an error that names the first that cannot be used and counts them."""
    failures = []
    for case in tqdm(cases, "writing", unit="volume", disable=not progress):
        try:
            image, ids = load(case)
            _check(image, ids, may_be_empty)
        except (OSError, EOFError, ValueError, zlib.error, ImageFileError, HeaderDataError) as error:
            failures.append((case.name, _reason(error)))
            continue
        _save(image, ids, folder / case.subset, f"{case.name}.nii.gz")
    refuse_unusable("volumes", len(cases), failures)


def _check(image: nib.Nifti1Image, ids: np.ndarray, may_be_empty: bool) -> None:
    values = np.asanyarray(image.dataobj)  # reads to the end, so that a file cut short is found
    if values.ndim != 3 or values.shape != ids.shape:
        sizes = f"{size_of(values.shape)} and {size_of(ids.shape)}"
        raise ValueError(
            f"Expected an image and a label of three axes and one size, found {sizes}; download both again."
        )
    stated, placed = image.header.get_zooms(), nib.affines.voxel_sizes(image.affine)
    if not np.allclose(stated, placed, atol=1e-3):
        found = " and ".join(" x ".join(f"{mm:.3g}" for mm in zooms) for zooms in (stated, placed))
        raise ValueError(f"Expected one spacing in the header, found pixdim and affine with {found} mm; repair it.")
    if not np.isfinite(values).all():
        raise ValueError("Expected numbers in all voxels, found infinite ones or none; download the image again.")
    if not (may_be_empty or ids.any()):
        raise ValueError("Expected a structure in the label, found background only; check the file.")


def _save(image: nib.Nifti1Image, ids: np.ndarray, folder: Path, name: str) -> None:
    for kind in ("image", "mask"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
    source = image.get_filename() or ""
    if source.endswith(".nii.gz"):
        shutil.copyfile(source, folder / "image" / name)
    else:
        nib.save(image, folder / "image" / name)
    mask = nib.Nifti1Image(ids, image.affine, image.header)
    mask.set_data_dtype(np.uint8)
    mask.header.set_slope_inter(1, 0)
    mask.header["cal_min"] = mask.header["cal_max"] = 0  # the grey window of the image
    nib.save(mask, folder / "mask" / name)


def _reason(error: Exception) -> str:
    text = (str(error).splitlines() or [type(error).__name__])[0]
    ours = isinstance(error, ValueError) and text.startswith("Expected")
    return text if ours else f"Expected a whole file, found: {text}; download it again."
