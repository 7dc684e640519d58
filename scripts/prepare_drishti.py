"""Drishti-GS: ``python3 scripts/prepare_drishti.py SOURCE OUT [--size 512] [--crop 800] [--full]``.

SOURCE holds the unpacked release of IIIT Hyderabad with the folders Training and Test, their Images and their ground
truth (GT and Test_GT). OUT receives the official train (50 images) and test (51). A pixel belongs to disc or cup if the
majority of the four experts say so, that is three or four of them. More in docs/data.md.
"""

import environment

environment.enter("dev")

from collections.abc import Mapping, Sequence  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402

from monai_sfda.console import one_sentence  # noqa: E402
from monai_sfda.datasets.command import command_line, framing  # noqa: E402
from monai_sfda.datasets.files import Pair, check_counts, find_files, pair_up, read_names  # noqa: E402
from monai_sfda.datasets.masks import classify_grey, ids_of_structures, read_grey, read_rgb  # noqa: E402
from monai_sfda.datasets.prepare import prepare  # noqa: E402

NAME = r"(?P<name>drishtiGS_\d{3})"
# How many of four experts marked a pixel -> grey level of the soft map, a quarter of 255 each, rounded either way.
EXPERTS = {0: (0, 0), 1: (63, 64), 2: (127, 128), 3: (191, 192), 4: (255, 255)}
MAJORITY = 3
SPLITS = Path(__file__).resolve().parent / "splits"
# The list of Domain1 puts g or n before the official names.
NAMES = {split: [name[1:] for name in read_names(SPLITS / f"domain1_{split}.txt")] for split in ("train", "test")}


def find(source: Path, names: Mapping[str, Sequence[str]]) -> list[Pair]:
    """The pairs with the split of their folder, counted."""
    images = find_files(
        source, rf"(?P<split>Training|Test)/Images/(?:[^/]+/)?{NAME}\.png", "Training/Images/drishtiGS_002.png"
    )
    disc, cup = (
        find_files(
            source,
            rf"(?:Training/GT|Test/(?:Test_)?GT)/{NAME}/SoftMap/(?P=name)_{structure}segSoftmap\.png",
            f"Training/GT/drishtiGS_002/SoftMap/drishtiGS_002_{structure}segSoftmap.png",
        )
        for structure in ("OD", "cup")
    )
    named = {"Training": "train", "Test": "test"}
    pairs = [pair._replace(split=named[pair.split]) for pair in pair_up(images, disc, cup)]
    check_counts(pairs, {split: len(known) for split, known in names.items()}, names)
    return pairs


def decode(pair: Pair) -> tuple[np.ndarray, np.ndarray]:
    """Image and class ids by majority."""
    disc, cup = (classify_grey(read_grey(path), EXPERTS) >= MAJORITY for path in pair.masks)
    return read_rgb(pair.image), ids_of_structures(disc, cup)


def main(arguments: Sequence[str] | None = None, names: Mapping[str, Sequence[str]] = NAMES) -> None:
    """Prepare the dataset; ``names`` are those of the complete release."""
    options = command_line(__doc__, crop=True).parse_args(arguments)
    pairs = find(options.source, names)
    settings = {"dataset": "Drishti-GS", "experts who agree": MAJORITY}
    print(prepare(pairs, decode, out=options.out, settings=settings, **framing(options)))


if __name__ == "__main__":
    with one_sentence():
        main()
