"""The formats, besides PNG, in which a prediction can write its label maps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from monai_sfda.findings import Findings
from monai_sfda.mask_file import SUFFIXES as MASKS
from monai_sfda.prediction.convert_masks import Item
from monai_sfda.prediction.dicom_seg import write_dicom_seg
from monai_sfda.prediction.nifti_masks import write_nifti

__all__ = ["check_formats", "drop_orphans", "write_formats"]

KNOWN = ("nifti", "dicom_seg")
SUFFIXES = {"nifti": ".nii.gz", "dicom_seg": ".dcm", "overlays": ".jpg"}


def check_formats(formats: Any, *, pseudonyms: bool = False, volumes: bool = False) -> tuple[str, ...]:
    """The formats, each once, if they can be written.

    Args:
        formats: a name or several, as typed.
        pseudonyms: whether the outputs are not to say whose they are.
        volumes: whether the masks are of volumes.

    Raises:
        ValueError: if a name is unknown, or a format would say whose the image is.
        ImportError: if highdicom is not installed.
    """
    names = tuple(dict.fromkeys(map(str, formats if isinstance(formats, list | tuple) else [formats])))
    unknown = [name for name in names if name not in KNOWN]
    if unknown:
        raise ValueError(f"Expected --formats of {', '.join(KNOWN)}, found {unknown[0]}; give one or several of them.")
    if volumes and names:
        raise ValueError(
            f"Expected no --formats for volumes, whose masks are NIfTI in OUTPUT/masks, found {names[0]}; leave it out."
        )
    if "dicom_seg" in names and pseudonyms:
        raise ValueError(
            "Expected --formats without dicom_seg where names are pseudonyms, found both, and a DICOM object names the "
            "patient of its image; leave out dicom_seg or --pseudonym_salt."
        )
    if "dicom_seg" in names and find_spec("highdicom") is None:
        remedy = "install it with: pip install highdicom"
        raise ImportError(f"Expected highdicom for --formats dicom_seg, found it missing; {remedy}.")
    return names


def drop_orphans(folder: Path) -> None:
    """Delete overlays and masks in other formats whose mask is no longer there, as another picture took its name."""
    for name, suffix in SUFFIXES.items():
        for path in (folder / name).rglob(f"*{suffix}"):
            mask = path.relative_to(folder / name).as_posix().removesuffix(suffix)
            if not any((folder / "masks" / f"{mask}{kind}").exists() for kind in MASKS):
                path.unlink()


def write_formats(
    formats: Iterable[str],
    folder: Path,
    rows: Sequence[Mapping[str, Any]],
    images: Mapping[str, Item],
    classes: Mapping[int, str],
    findings: Findings,
    model: tuple[str, str],
) -> None:
    """Write the masks in every format, see `write_nifti` and `write_dicom_seg`."""
    for name in formats:
        if name == "nifti":
            write_nifti(folder, rows, images)
        else:
            write_dicom_seg(folder, rows, images, classes, findings, model=model)
