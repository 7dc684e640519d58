"""NCI-ISBI 2013: ``python3 scripts/prepare_nci_isbi.py SOURCE OUT [--parts training leaderboard test] [--zones]``.

SOURCE holds the DICOM series of the challenge from the Cancer Imaging Archive, in folders such as
Prostate3T-01-0001/.../1-01.dcm, and its segmentations such as Prostate3T-01-0001.nrrd. OUT receives prostate3t (Radboud
University, 3 T, surface coil) and prostatedx (Boston, 1.5 T, endorectal coil), each with image, mask and index.csv.
Class 1 is the prostate; with --zones, 1 is the peripheral zone and 2 the central gland. More in docs/prostate.md.
"""

import environment

environment.enter("dev")

from collections.abc import Mapping, Sequence  # noqa: E402
from pathlib import Path  # noqa: E402

import nibabel as nib  # noqa: E402
import numpy as np  # noqa: E402

from monai_sfda.console import one_sentence  # noqa: E402
from monai_sfda.datasets.command import volume_command_line  # noqa: E402
from monai_sfda.datasets.dicom_stack import by_position, read_slice, stack_image  # noqa: E402
from monai_sfda.datasets.files import find_files, first_of  # noqa: E402
from monai_sfda.datasets.labelled_volumes import Case, prepare_volumes  # noqa: E402
from monai_sfda.datasets.nifti_pair import exchange_ids  # noqa: E402
from monai_sfda.datasets.nrrd import read_nrrd  # noqa: E402
from monai_sfda.datasets.on_grid import label_on_grid  # noqa: E402

PATIENT = r"Prostate(?:3T|Dx)-0[123]-\d{4}"
SITES = {"Prostate3T": "prostate3t", "ProstateDx": "prostatedx"}
PARTS = {"01": "training", "02": "leaderboard", "03": "test"}
COUNTS = {"training": 30, "leaderboard": 5, "test": 5}
"""Of each site."""
ZONES = {1: 1, 2: 2}  # peripheral zone, central gland
PROSTATE = {1: 1, 2: 1}


def find(source: Path, parts: Sequence[str], counts: Mapping[str, int]) -> list[Case]:
    """The patients of these parts of the challenge, counted for each site."""
    labels = find_files(source, rf"(?P<name>{PATIENT})(?:_\w+)?\.nrrd", "Prostate3T-01-0001.nrrd")
    slices = find_files(
        source, rf"(?P<name>(?P<split>{PATIENT})/.*)\.dcm", "Prostate3T-01-0001/STUDY/SERIES/1-01.dcm"
    ).values()
    series: dict[str, dict[Path, list[Path]]] = {}
    for one in slices:
        series.setdefault(one.split, {}).setdefault(one.path.parent, []).append(one.path)
    wanted = {patient: label.path for patient, label in labels.items() if part_of(patient) in parts}
    cases = [
        Case(patient, (*only(patient, series), label), about(patient), site_of(patient))
        for patient, label in wanted.items()
    ]
    for site in SITES.values():
        for part in parts:
            found = sum(case.subset == site and case.about["part"] == part for case in cases)
            if found != counts[part]:
                raise ValueError(
                    f"Expected {counts[part]} segmentations of {site}, {part}, found {found}; complete the download, "
                    "or give the folder that holds it and nothing else."
                )
    return cases


def part_of(patient: str) -> str:
    """Such as ``training`` for ``Prostate3T-01-0001``."""
    return PARTS[patient.split("-")[1]]


def site_of(patient: str) -> str:
    """Such as ``prostate3t``."""
    return SITES[patient.split("-")[0]]


def about(patient: str) -> dict[str, str]:
    """Its row of the index."""
    return {"patient": patient, "site": site_of(patient), "part": part_of(patient)}


def only(patient: str, series: Mapping[str, Mapping[Path, Sequence[Path]]]) -> Sequence[Path]:
    """The slices of the one series of a patient."""
    folders = series.get(patient, {})
    if len(folders) != 1:
        found = f"those in {first_of([folder.name for folder in folders])}" if folders else "none"
        raise ValueError(
            f"Expected the one series of {patient} that the challenge lists, found {found}; complete the download, and "
            "leave out what is not of the challenge."
        )
    return next(iter(folders.values()))


def load(case: Case, ids: Mapping[int, int]) -> tuple[nib.Nifti1Image, np.ndarray]:
    """Image and class ids; some labels have other slices than their image and are brought to them by position."""
    *slices, label = case.files
    image = stack_image(by_position([read_slice(path) for path in slices]))
    return image, exchange_ids(label_on_grid(image, read_nrrd(label)), ids)


def main(arguments: Sequence[str] | None = None, counts: Mapping[str, int] = COUNTS) -> None:
    """Prepare the dataset; ``counts`` are those of the complete release."""
    parser = volume_command_line(__doc__)
    parser.add_argument("--parts", nargs="+", choices=list(COUNTS), default=["training"], help="of the challenge")
    parser.add_argument("--zones", action="store_true", help="two classes, not the prostate as a whole")
    options = parser.parse_args(arguments)
    ids = ZONES if options.zones else PROSTATE
    cases = find(options.source, options.parts, counts)
    settings = {"dataset": "NCI-ISBI 2013", "parts": sorted(options.parts), "zones": options.zones}
    print(prepare_volumes(cases, lambda case: load(case, ids), out=options.out, settings=settings))


if __name__ == "__main__":
    with one_sentence():
        main()
