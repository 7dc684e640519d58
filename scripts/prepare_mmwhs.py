"""MM-WHS 2017: ``python3 scripts/prepare_mmwhs.py SOURCE OUT``.

SOURCE holds either the unpacked training data of the challenge with ct_train_1001_image.nii.gz, ct_train_1001_label.
nii.gz and so on, 20 of CT and 20 of MR, or the slices that the field shares, cut to the heart (SIFA, MPSCL), with
image_ct_1003.nii.gz and gth_ct_1003.nii.gz, or arrays. OUT receives ct and mr, or test_ct, test_mr, train_ct and
train_mr, each with image, mask and index.csv. Classes, in the order of the field: 1 myocardium, 2 left atrium, 3 left
ventricle, 4 ascending aorta. More in docs/whole_heart.md.
"""

import environment

environment.enter("dev")

from collections.abc import Mapping, Sequence  # noqa: E402
from pathlib import Path  # noqa: E402

from monai_sfda.console import one_sentence  # noqa: E402
from monai_sfda.datasets.command import volume_command_line  # noqa: E402
from monai_sfda.datasets.files import check_counts, find_files, pair_up  # noqa: E402
from monai_sfda.datasets.heart_slices import find_heart_slices, load_heart_slices  # noqa: E402
from monai_sfda.datasets.labelled_volumes import Case, prepare_volumes  # noqa: E402
from monai_sfda.datasets.nifti_pair import read_pair  # noqa: E402

RAW = "*_train_1???_image.nii.gz"
SHARED = ("image_ct_1???.nii.gz", "image_mr_1???.nii.gz", "*.npy", "*.npz")
COUNTS = {"ct": 20, "mr": 20}
IDS = {205: 1, 420: 2, 500: 3, 820: 4, 550: 0, 600: 0, 850: 0}  # of the rest: right atrium, right ventricle, artery


def find(source: Path, counts: Mapping[str, int]) -> list[Case]:
    """The volumes of the challenge, counted."""
    name = r"(?P<name>(?P<split>ct|mr)_train_1\d{3})"
    images = find_files(source, rf"{name}_image\.nii\.gz", "ct_train_1001_image.nii.gz")
    labels = find_files(source, rf"{name}_label\.nii\.gz", "ct_train_1001_label.nii.gz")
    pairs = pair_up(images, labels)
    check_counts(pairs, counts)
    return [Case(pair.name, (pair.image, *pair.masks), {"patient": pair.name}, pair.split) for pair in pairs]


def main(arguments: Sequence[str] | None = None, counts: Mapping[str, int] = COUNTS) -> None:
    """Prepare the dataset; ``counts`` are those of the complete release."""
    options = volume_command_line(__doc__).parse_args(arguments)
    raw = any(options.source.rglob(RAW))
    if raw and any(any(options.source.rglob(form)) for form in SHARED):
        raise ValueError(
            f"Expected one version of MM-WHS in {options.source}, found the volumes of the challenge and the cut "
            "slices; give the folder of one of them."
        )
    if raw or any(options.source.rglob("*_train_1???_label.nii.gz")):
        cases, settings = find(options.source, counts), {"dataset": "MM-WHS 2017"}
        print(prepare_volumes(cases, lambda case: read_pair(*case.files, IDS), out=options.out, settings=settings))
    else:
        settings = {"dataset": "MM-WHS 2017, cut to the heart"}
        cases = find_heart_slices(options.source)
        print(prepare_volumes(cases, load_heart_slices, out=options.out, settings=settings, may_be_empty=True))


if __name__ == "__main__":
    with one_sentence():
        main()
