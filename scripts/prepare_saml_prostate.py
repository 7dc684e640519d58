"""Prostate of six sites: ``python3 scripts/prepare_saml_prostate.py SOURCE OUT``.

SOURCE holds the unpacked archive of Liu et al. (SAML, MICCAI 2020), which collects NCI-ISBI 2013, I2CVB and PROMISE12
in the folders RUNMC, BMC, I2CVB, UCL, BIDMC and HK, with Case00.nii.gz and Case00_segmentation.nii.gz and so on. OUT
receives a folder per site, in small letters, each with image, mask and index.csv. Class 1 is the prostate. AdaMI was
published on bmc (source) and runmc (target). More in docs/prostate.md.
"""

import environment

environment.enter("dev")

from collections.abc import Mapping, Sequence  # noqa: E402
from pathlib import Path  # noqa: E402

from monai_sfda.console import one_sentence  # noqa: E402
from monai_sfda.datasets.command import volume_command_line  # noqa: E402
from monai_sfda.datasets.files import check_counts, find_files, pair_up  # noqa: E402
from monai_sfda.datasets.labelled_volumes import Case, prepare_volumes  # noqa: E402
from monai_sfda.datasets.nifti_pair import read_pair  # noqa: E402

COUNTS = {"RUNMC": 30, "BMC": 30, "I2CVB": 19, "UCL": 13, "BIDMC": 12, "HK": 12}
IDS = {1: 1, 2: 1}  # some sites keep the two zones of their origin


def find(source: Path, counts: Mapping[str, int]) -> list[Case]:
    """The volumes of each site, counted."""
    cases = []
    for site, count in counts.items():
        name = rf"(?P<split>{site})/(?P<name>[Cc]ase\d\d)"
        images = find_files(source, rf"{name}\.nii\.gz", f"{site}/Case00.nii.gz")
        labels = find_files(source, rf"{name}_[Ss]egmentation\.nii\.gz", f"{site}/Case00_segmentation.nii.gz")
        pairs = pair_up(images, labels)
        check_counts(pairs, {site: count})
        folder = site.lower()
        cases += [
            Case(pair.name, (pair.image, *pair.masks), {"patient": f"{folder}_{pair.name}", "site": folder}, folder)
            for pair in pairs
        ]
    return cases


def main(arguments: Sequence[str] | None = None, counts: Mapping[str, int] = COUNTS) -> None:
    """Prepare the dataset; ``counts`` are those of the complete release."""
    options = volume_command_line(__doc__).parse_args(arguments)
    cases = find(options.source, counts)
    settings = {"dataset": "SAML, multi-site prostate"}
    print(prepare_volumes(cases, lambda case: read_pair(*case.files, IDS), out=options.out, settings=settings))


if __name__ == "__main__":
    with one_sentence():
        main()
