"""Hippocampus: ``python3 scripts/prepare_hippocampus.py SOURCE OUT``.

SOURCE holds the unpacked archive Task04_Hippocampus of the Medical Segmentation Decathlon with imagesTr, labelsTr and
dataset.json. OUT receives image and mask with its 260 labelled volumes as they are, index.csv, and the notice that the
licence wants, CC BY-SA 4.0. Classes: 1 anterior, 2 posterior hippocampus. More in docs/data.md.
"""

import environment

environment.enter("dev")

from collections.abc import Sequence  # noqa: E402

from monai_sfda.console import one_sentence  # noqa: E402
from monai_sfda.datasets.command import volume_command_line  # noqa: E402
from monai_sfda.datasets.decathlon import find_decathlon  # noqa: E402
from monai_sfda.datasets.labelled_volumes import prepare_volumes  # noqa: E402
from monai_sfda.datasets.nifti_pair import read_pair  # noqa: E402

NAME = r"hippocampus_\d{3}"
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


def main(arguments: Sequence[str] | None = None, volumes: int = VOLUMES) -> None:
    """Prepare the dataset; ``volumes`` is their number in the complete release."""
    options = volume_command_line(__doc__).parse_args(arguments)
    cases = find_decathlon(options.source, NAME, volumes)
    settings = {"dataset": "Medical Segmentation Decathlon, Task04_Hippocampus"}
    print(
        prepare_volumes(
            cases, lambda case: read_pair(*case.files[:2], IDS), out=options.out, settings=settings, notice=NOTICE
        )
    )


if __name__ == "__main__":
    with one_sentence():
        main()
