"""ACDC: ``python3 scripts/prepare_acdc.py SOURCE OUT``.

SOURCE holds the unpacked archive of the Automated Cardiac Diagnosis Challenge with the folders training and testing.
OUT receives image and mask with the 300 volumes that have a reference, such as patient001_frame01.nii.gz, two per
patient, and index.csv with what Info.cfg says: end diastole or end systole, group, split. Classes: 1 cavity of the left
ventricle, 2 myocardium, 3 right ventricle. More in docs/data.md.
"""

import environment

environment.enter("dev")

import re  # noqa: E402
from collections.abc import Mapping, Sequence  # noqa: E402
from pathlib import Path  # noqa: E402

import nibabel as nib  # noqa: E402
import numpy as np  # noqa: E402

from monai_sfda.console import one_sentence  # noqa: E402
from monai_sfda.datasets.command import volume_command_line  # noqa: E402
from monai_sfda.datasets.files import Pair, check_counts, find_files, first_of, pair_up  # noqa: E402
from monai_sfda.datasets.labelled_volumes import Case, prepare_volumes  # noqa: E402
from monai_sfda.datasets.nifti_pair import read_pair, with_stated_spacing  # noqa: E402

FOLDER = r"(?P<split>training|testing)/patient\d{3}"
NAME = r"(?P<name>patient\d{3}_frame\d\d)"
IDS = {3: 1, 2: 2, 1: 3}  # of ACDC: 1 right ventricle, 2 myocardium, 3 cavity of the left ventricle
COUNTS = {"training": 200, "testing": 100}


def find(source: Path, counts: Mapping[str, int]) -> list[Case]:
    """The volumes with what Info.cfg says of them, counted."""
    images = find_files(source, rf"{FOLDER}/{NAME}\.nii\.gz", "training/patient001/patient001_frame01.nii.gz")
    labels = find_files(source, rf"{FOLDER}/{NAME}_gt\.nii\.gz", "training/patient001/patient001_frame01_gt.nii.gz")
    pairs = pair_up(images, labels)
    check_counts(pairs, counts)
    infos = find_files(source, r"(?P<name>patient\d{3})/Info\.cfg", "training/patient001/Info.cfg")
    lacking = {patient_of(pair) for pair in pairs} - infos.keys()
    if lacking:
        raise ValueError(
            f"Expected Info.cfg of each patient, found none of {first_of(lacking)}; complete the download."
        )
    return [about(pair, infos[patient_of(pair)].path) for pair in pairs]


def patient_of(pair: Pair) -> str:
    """Such as ``patient001``."""
    return pair.name.split("_")[0]


def about(pair: Pair, info: Path) -> Case:
    """The volume with its row of the index."""
    said = dict(re.findall(r"^(\w+)\s*:\s*(\S+)", info.read_text(encoding="utf-8"), re.MULTILINE))
    frame = str(int(pair.name[-2:]))
    moments = [moment for moment in ("ED", "ES") if said.get(moment) == frame]
    if len(moments) != 1:
        raise ValueError(
            f"Expected frame {frame} to be ED or ES in {info}, found ED {said.get('ED')} and ES {said.get('ES')}; "
            "unpack the official download again."
        )
    row = {"patient": patient_of(pair), "frame": moments[0], "group": said.get("Group"), "split": pair.split}
    return Case(pair.name, (pair.image, *pair.masks, info), row)


def load(case: Case) -> tuple[nib.Nifti1Image, np.ndarray]:
    """Image and class ids; the affine of the release has 1 mm in all axes, the right spacing is that of ``pixdim``."""
    image, ids = read_pair(*case.files[:2], IDS)
    return with_stated_spacing(image), ids


def main(arguments: Sequence[str] | None = None, counts: Mapping[str, int] = COUNTS) -> None:
    """Prepare the dataset; ``counts`` are those of the complete release."""
    options = volume_command_line(__doc__).parse_args(arguments)
    cases = find(options.source, counts)
    settings = {"dataset": "ACDC"}
    print(prepare_volumes(cases, load, out=options.out, settings=settings))


if __name__ == "__main__":
    with one_sentence():
        main()
