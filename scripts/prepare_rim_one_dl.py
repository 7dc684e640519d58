"""RIM-ONE DL: ``python3 scripts/prepare_rim_one_dl.py SOURCE OUT [--split randomly] [--size 512] [--full]``.

SOURCE holds the two unpacked archives of github.com/miag-ull/rim-one-dl: RIM-ONE_DL_images and
RIM-ONE_DL_reference_segmentations. --split randomly and by_hospital give the official train and test; --split release
gives r1, r2 and r3, the older releases whose images these are. The images are crops already. More in docs/data.md.
"""

import environment

environment.enter("dev")

from collections.abc import Mapping, Sequence  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402

from monai_sfda.console import one_sentence  # noqa: E402
from monai_sfda.datasets.command import command_line, framing  # noqa: E402
from monai_sfda.datasets.files import Pair, check_counts, find_files, pair_up  # noqa: E402
from monai_sfda.datasets.masks import ids_of_structures, read_rgb, read_structure  # noqa: E402
from monai_sfda.datasets.prepare import prepare  # noqa: E402

NAME = r"(?P<name>r[123]_\w[\w-]*)"
COUNTS = {
    "randomly": {"train": 339, "test": 146},
    "by_hospital": {"train": 311, "test": 174},
    "release": {"r1": 98, "r2": 250, "r3": 137},
}


def find(source: Path, split: str, counts: Mapping[str, int]) -> list[Pair]:
    """The pairs with their splits, counted."""
    partition = "partitioned_by_hospital" if split == "by_hospital" else "partitioned_randomly"
    images = find_files(
        source,
        rf"{partition}/(?P<split>training_set|test_set)/(?:glaucoma|normal)/{NAME}\.png",
        f"RIM-ONE_DL_images/{partition}/training_set/normal/r1_Im001.png",
    )
    disc, cup = (
        find_files(
            source,
            rf"(?:glaucoma|normal)/{NAME}-1-{structure}-T\.png",
            f"RIM-ONE_DL_reference_segmentations/normal/r1_Im001-1-{structure}-T.png",
        )
        for structure in ("Disc", "Cup")
    )
    named = {"training_set": "train", "test_set": "test"}
    pairs = [
        pair._replace(split=pair.name[:2] if split == "release" else named[pair.split])
        for pair in pair_up(images, disc, cup)
    ]
    check_counts(pairs, counts)
    return pairs


def decode(pair: Pair) -> tuple[np.ndarray, np.ndarray]:
    """Image and class ids."""
    return read_rgb(pair.image), ids_of_structures(*(read_structure(path) for path in pair.masks))


def main(arguments: Sequence[str] | None = None, counts: Mapping[str, Mapping[str, int]] = COUNTS) -> None:
    """Prepare the dataset; ``counts`` are those of the complete release."""
    parser = command_line(__doc__, crop=False)
    parser.add_argument("--split", choices=list(COUNTS), default="randomly", help="which division (randomly)")
    options = parser.parse_args(arguments)
    pairs = find(options.source, options.split, counts[options.split])
    settings = {"dataset": "RIM-ONE DL", "split": options.split}
    print(prepare(pairs, decode, out=options.out, settings=settings, **framing(options)))


if __name__ == "__main__":
    with one_sentence():
        main()
