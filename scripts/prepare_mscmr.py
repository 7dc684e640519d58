"""MS-CMRSeg 2019: ``python3 scripts/prepare_mscmr.py SOURCE OUT``.

SOURCE holds the unpacked archives of the Multi-sequence Cardiac MR Segmentation Challenge with images such as
patient1_C0.nii.gz and references such as patient1_C0_manual.nii.gz, in whatever folders. OUT receives bssfp (C0, 35
volumes) and lge (45, or the 5 of the validation set), each with image, mask and index.csv. Patients are the same in
both: split by patient. Classes: 1 cavity of the left ventricle, 2 myocardium, 3 right ventricle. More in docs/data.md.
"""

import environment

environment.enter("dev")

from collections.abc import Collection, Mapping, Sequence  # noqa: E402
from pathlib import Path  # noqa: E402

from monai_sfda.console import one_sentence  # noqa: E402
from monai_sfda.datasets.command import volume_command_line  # noqa: E402
from monai_sfda.datasets.files import find_files, pair_up  # noqa: E402
from monai_sfda.datasets.labelled_volumes import Case, prepare_volumes  # noqa: E402
from monai_sfda.datasets.nifti_pair import read_pair  # noqa: E402

SEQUENCES = {"bssfp": "C0", "lge": "LGE"}
IDS = {500: 1, 200: 2, 600: 3}
COUNTS = {"bssfp": (35,), "lge": (5, 45)}


def find(source: Path, sequence: str, counts: Collection[int]) -> list[Case]:
    """The volumes of a sequence that have a reference, counted."""
    name = rf"(?P<name>patient\d+_{SEQUENCES[sequence]})"
    example = f"patient1_{SEQUENCES[sequence]}"
    labels = find_files(source, rf"{name}_manual\.nii\.gz", f"{example}_manual.nii.gz")
    images = find_files(source, rf"{name}\.nii\.gz", f"{example}.nii.gz")
    pairs = pair_up({name: image for name, image in images.items() if name in labels}, labels)
    if len(pairs) not in counts:
        raise ValueError(
            f"Expected {' or '.join(map(str, counts))} references of {SEQUENCES[sequence]}, found {len(pairs)}; "
            "complete the download, or give the folder that holds it and nothing else."
        )
    return [
        Case(pair.name, (pair.image, *pair.masks), {"patient": pair.name.split("_")[0]}, sequence) for pair in pairs
    ]


def main(arguments: Sequence[str] | None = None, counts: Mapping[str, Collection[int]] = COUNTS) -> None:
    """Prepare the dataset; ``counts`` are those of the releases."""
    options = volume_command_line(__doc__).parse_args(arguments)
    cases = [case for sequence in SEQUENCES for case in find(options.source, sequence, counts[sequence])]
    settings = {"dataset": "MS-CMRSeg 2019"}
    print(prepare_volumes(cases, lambda case: read_pair(*case.files, IDS), out=options.out, settings=settings))


if __name__ == "__main__":
    with one_sentence():
        main()
