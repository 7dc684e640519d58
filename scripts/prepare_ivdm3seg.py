"""IVDM3Seg: ``python3 scripts/prepare_ivdm3seg.py SOURCE OUT [--channels water in_phase]``.

SOURCE holds the unpacked training data of the challenge of 2018 with folders 01 to 16 and, in each, 01_wat.nii,
01_inn.nii, 01_opp.nii, 01_fat.nii and 01_Labels.nii. OUT receives a folder per channel with image, mask and index.csv:
water, the source of AdaMI, and in_phase, its target. Class 1 is the intervertebral disc. More in docs/spine.md.
"""

import environment

environment.enter("dev")

from collections.abc import Sequence  # noqa: E402
from pathlib import Path  # noqa: E402

from monai_sfda.console import one_sentence  # noqa: E402
from monai_sfda.datasets.command import volume_command_line  # noqa: E402
from monai_sfda.datasets.files import check_counts, find_files, pair_up  # noqa: E402
from monai_sfda.datasets.labelled_volumes import Case, prepare_volumes  # noqa: E402
from monai_sfda.datasets.nifti_pair import read_pair  # noqa: E402

CHANNELS = {"water": "wat", "in_phase": "inn", "opposed_phase": "opp", "fat": "fat"}
PUBLISHED = ["water", "in_phase"]
VOLUMES = 16
IDS = {1: 1}


def find(source: Path, channel: str, volumes: int) -> list[Case]:
    """The data sets of a channel, counted; the same discs in each."""
    of_release = CHANNELS[channel]
    name = r"(?P<split>\d\d)/(?P<name>\d\d)"
    images = find_files(source, rf"{name}_{of_release}\.nii(?:\.gz)?", f"01/01_{of_release}.nii")
    labels = find_files(source, rf"{name}_Labels\.nii(?:\.gz)?", "01/01_Labels.nii")
    pairs = pair_up(images, labels)
    if astray := [pair.image for pair in pairs if pair.split != pair.name or pair.masks[0].parent != pair.image.parent]:
        raise ValueError(
            f"Expected each data set in the folder of its number, found {astray[0]}; unpack the archive whole, and "
            "rename nothing."
        )
    names = [f"{number:02d}" for number in range(1, volumes + 1)]
    check_counts([pair._replace(split=channel) for pair in pairs], {channel: volumes}, {channel: names})
    return [Case(pair.name, (pair.image, *pair.masks), {"data_set": pair.name}, channel) for pair in pairs]


def main(arguments: Sequence[str] | None = None, volumes: int = VOLUMES) -> None:
    """Prepare the dataset; ``volumes`` is the number of data sets in the complete release."""
    parser = volume_command_line(__doc__)
    parser.add_argument("--channels", nargs="+", choices=list(CHANNELS), default=PUBLISHED, help="which to write")
    options = parser.parse_args(arguments)
    channels = list(dict.fromkeys(options.channels))
    cases = [case for channel in channels for case in find(options.source, channel, volumes)]
    settings = {"dataset": "IVDM3Seg 2018"}
    print(prepare_volumes(cases, lambda case: read_pair(*case.files, IDS), out=options.out, settings=settings))


if __name__ == "__main__":
    with one_sentence():
        main()
