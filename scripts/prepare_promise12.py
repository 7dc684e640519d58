"""PROMISE12: ``python3 scripts/prepare_promise12.py SOURCE OUT [--sites FILE]``.

SOURCE holds the unpacked training data of the challenge, Case00.mhd to Case49.mhd with their .raw, and
Case00_segmentation.mhd and so on, in whatever folders. OUT receives image and mask with the 50 volumes and index.csv.
The names do not say from which of the four centres a case comes: with --sites, a table with the columns name and site,
each site becomes a folder of its own. Class 1 is the prostate. More in docs/prostate.md.
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
from monai_sfda.datasets.files import Found, check_counts, find_files, first_of, pair_up  # noqa: E402
from monai_sfda.datasets.labelled_volumes import Case, prepare_volumes  # noqa: E402
from monai_sfda.datasets.metaimage import metaimage_files, read_metaimage  # noqa: E402
from monai_sfda.datasets.nifti_pair import exchange_ids, on_one_grid  # noqa: E402
from monai_sfda.tables import read_csv  # noqa: E402

LABEL = r"(?P<name>Case\d\d)_segmentation\.mhd"
VOLUMES = 50
IDS = {1: 1}


def find(source: Path, volumes: int) -> list[Case]:
    """The training cases, counted; the test cases have the same names and no segmentation."""
    labels = find_files(source, LABEL, "Case00_segmentation.mhd")
    beside = {name: label.path.with_name(f"{name}.mhd") for name, label in labels.items()}
    images = {name: Found(path, "") for name, path in beside.items() if path.is_file()}
    pairs = [pair._replace(split="training") for pair in pair_up(images, labels)]
    names = [f"Case{number:02d}" for number in range(volumes)]
    check_counts(pairs, {"training": volumes}, {"training": names})
    files = [(*metaimage_files(pair.image), *metaimage_files(pair.masks[0])) for pair in pairs]
    return [Case(pair.name, each, {"patient": pair.name}) for pair, each in zip(pairs, files, strict=True)]


def with_sites(cases: Sequence[Case], table: Path) -> list[Case]:
    """The same cases, each in the folder of its site."""
    sites: Mapping[str, str] = {row["name"]: row["site"] for row in read_csv(table, ["name", "site"])}
    if lacking := {case.name for case in cases} - sites.keys():
        raise ValueError(f"Expected the site of each case in {table}, found none of {first_of(lacking)}; add a row.")
    if wrong := {site for site in sites.values() if not re.fullmatch(r"[\w-]+", site)}:
        raise ValueError(
            f"Expected sites of letters, digits, - and _ in {table}, found {first_of(wrong)}; they become folders."
        )
    return [case._replace(about={**case.about, "site": sites[case.name]}, subset=sites[case.name]) for case in cases]


def load(case: Case) -> tuple[nib.Nifti1Image, np.ndarray]:
    """Image and class ids."""
    image, label = (read_metaimage(path) for path in case.files if path.suffix == ".mhd")
    return image, exchange_ids(on_one_grid(image, label), IDS)


def main(arguments: Sequence[str] | None = None, volumes: int = VOLUMES) -> None:
    """Prepare the dataset; ``volumes`` is their number in the complete release."""
    parser = volume_command_line(__doc__)
    parser.add_argument("--sites", type=Path, help="CSV table with the columns name (Case00) and site")
    options = parser.parse_args(arguments)
    cases = find(options.source, volumes)
    if options.sites:
        cases = with_sites(cases, options.sites)
    print(prepare_volumes(cases, load, out=options.out, settings={"dataset": "PROMISE12"}))


if __name__ == "__main__":
    with one_sentence():
        main()
