"""MSD prostate: ``python3 scripts/prepare_msd_prostate.py SOURCE OUT [--zones]``.

SOURCE holds the unpacked archive Task05_Prostate of the Medical Segmentation Decathlon with imagesTr, labelsTr and
dataset.json. OUT receives image and mask with its 32 labelled volumes, of each the first channel, T2, index.csv, and
the notice that the licence wants, CC BY-SA 4.0. Class 1 is the prostate; with --zones, 1 is the peripheral zone and 2
the transition zone. More in docs/prostate.md.
"""

import environment

environment.enter("dev")

import json  # noqa: E402
from collections.abc import Mapping, Sequence  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import nibabel as nib  # noqa: E402
import numpy as np  # noqa: E402

from monai_sfda.console import one_sentence  # noqa: E402
from monai_sfda.datasets.command import volume_command_line  # noqa: E402
from monai_sfda.datasets.decathlon import find_decathlon  # noqa: E402
from monai_sfda.datasets.labelled_volumes import Case, prepare_volumes  # noqa: E402
from monai_sfda.datasets.nifti_pair import exchange_ids, on_one_grid, size_of  # noqa: E402

NAME = r"prostate_\d\d"
VOLUMES = 32
ZONES = {1: 1, 2: 2}  # peripheral zone, transition zone
PROSTATE = {1: 1, 2: 1}
NOTICE = """\
Images and segmentations of the prostate: Medical Segmentation Decathlon, task 5, Radboud University Medical Center.
Licence: Creative Commons Attribution-ShareAlike 4.0 International, https://creativecommons.org/licenses/by-sa/4.0/
Source: http://medicaldecathlon.com
Please cite: Antonelli et al., The Medical Segmentation Decathlon, Nature Communications 13, 4128 (2022).
Changes: of the two channels T2 and ADC, the first is kept; the segmentations are stored as 8-bit integers, {zones}.
"""


def check_channels(listing: Path) -> None:
    """Refuse a release whose first channel is not T2."""
    first = json.loads(listing.read_text()).get("modality", {}).get("0")
    if first != "T2":
        raise ValueError(f"Expected T2 as channel 0 in {listing}, found {first}; take the official download.")


def load(case: Case, ids: Mapping[int, int]) -> tuple[nib.Nifti1Image, np.ndarray]:
    """T2 and class ids."""
    both: Any = nib.load(case.files[0])
    if len(both.shape) != 4 or both.shape[3] != 2:
        raise ValueError(f"Expected the channels T2 and ADC, found {size_of(both.shape)} voxels; download it again.")
    image = both.slicer[..., 0]
    return image, exchange_ids(on_one_grid(image, nib.load(case.files[1])), ids)


def main(arguments: Sequence[str] | None = None, volumes: int = VOLUMES) -> None:
    """Prepare the dataset; ``volumes`` is their number in the complete release."""
    parser = volume_command_line(__doc__)
    parser.add_argument("--zones", action="store_true", help="two classes, not the prostate as a whole")
    options = parser.parse_args(arguments)
    ids = ZONES if options.zones else PROSTATE
    cases = find_decathlon(options.source, NAME, volumes)
    check_channels(cases[0].files[2])
    settings = {"dataset": "Medical Segmentation Decathlon, Task05_Prostate", "zones": options.zones}
    notice = NOTICE.format(zones="with the same values" if options.zones else "both zones as one class")
    print(prepare_volumes(cases, lambda case: load(case, ids), out=options.out, settings=settings, notice=notice))


if __name__ == "__main__":
    with one_sentence():
        main()
