"""Hippocampus: ``python3 scripts/prepare_hippocampus.py SOURCE OUT``.

SOURCE holds the unpacked archive Task04_Hippocampus of the Medical Segmentation Decathlon with imagesTr, labelsTr and
dataset.json. OUT receives image and mask with its 260 labelled volumes as they are, index.csv, and the notice that the
licence wants, CC BY-SA 4.0. Classes: 1 anterior, 2 posterior hippocampus. More in docs/data.md.
"""

import environment

environment.enter("dev")

import json  # noqa: E402
from collections.abc import Sequence  # noqa: E402
from pathlib import Path  # noqa: E402

from monai_sfda.console import one_sentence  # noqa: E402
from monai_sfda.datasets.command import volume_command_line  # noqa: E402
from monai_sfda.datasets.files import check_counts, find_files, pair_up  # noqa: E402
from monai_sfda.datasets.labelled_volumes import Case, prepare_volumes  # noqa: E402
from monai_sfda.datasets.nifti_pair import read_pair  # noqa: E402

NAME = r"(?P<name>hippocampus_\d{3})"
IDS = {1: 1, 2: 2}
VOLUMES = 260
NOTICE = """\
Images and segmentations of the hippocampus: Medical Segmentation Decathlon, task 4, Vanderbilt University Medical
Center. Licence: Creative Commons Attribution-ShareAlike 4.0 International,
https://creativecommons.org/licenses/by-sa/4.0/
Source: http://medicaldecathlon.com
Please cite: Antonelli et al., The Medical Segmentation Decathlon, Nature Communications 13, 4128 (2022).
Changes: the images are copied; the segmentations are stored as 8-bit integers with the same values, with the position
of their image.
"""


def find(source: Path, volumes: int) -> list[Case]:
    """The volumes that dataset.json lists for training, counted."""
    (listing,) = find_files(source, r"(?P<name>dataset)\.json", "dataset.json").values()
    try:
        listed = {
            Path(row["label"]).name.removesuffix(".nii.gz") for row in json.loads(listing.path.read_text())["training"]
        }
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"Expected a list of training images in {listing.path}, found none; download it again."
        ) from error
    images = find_files(source, rf"imagesTr/{NAME}\.nii\.gz", "imagesTr/hippocampus_001.nii.gz")
    labels = find_files(source, rf"labelsTr/{NAME}\.nii\.gz", "labelsTr/hippocampus_001.nii.gz")
    pairs = [pair._replace(split="training") for pair in pair_up(images, labels)]
    check_counts(pairs, {"training": volumes}, {"training": listed})
    return [Case(pair.name, (pair.image, *pair.masks, listing.path), {"patient": pair.name}) for pair in pairs]


def main(arguments: Sequence[str] | None = None, volumes: int = VOLUMES) -> None:
    """Prepare the dataset; ``volumes`` is their number in the complete release."""
    options = volume_command_line(__doc__).parse_args(arguments)
    cases = find(options.source, volumes)
    settings = {"dataset": "Medical Segmentation Decathlon, Task04_Hippocampus"}
    print(
        prepare_volumes(
            cases, lambda case: read_pair(*case.files[:2], IDS), out=options.out, settings=settings, notice=NOTICE
        )
    )


if __name__ == "__main__":
    with one_sentence():
        main()
