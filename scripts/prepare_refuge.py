"""REFUGE: ``python3 scripts/prepare_refuge.py SOURCE OUT [--size 512] [--crop 800] [--full] [--papers]``.

SOURCE holds the six unpacked archives of refuge.grand-challenge.org, in whatever folders: REFUGE-Training400,
Annotation-Training400, REFUGE-Validation400, REFUGE-Validation400-GT, REFUGE-Test400, REFUGE-Test-GT. OUT receives
train, validation and test of 400 images each. With --papers the first two are divided 320/80 as Domain3 and Domain4 of
BEAL, DPL and CBMT are: train_320, train_80, validation_320, validation_80, test. More in docs/data.md.
"""

import environment

environment.enter("dev")

from collections.abc import Mapping, Sequence  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402

from monai_sfda.console import one_sentence  # noqa: E402
from monai_sfda.datasets.command import command_line, framing  # noqa: E402
from monai_sfda.datasets.files import Pair, check_counts, find_files, pair_up, read_names  # noqa: E402
from monai_sfda.datasets.masks import classify_grey, read_grey, read_rgb  # noqa: E402
from monai_sfda.datasets.prepare import prepare  # noqa: E402

IMAGE = r"(?P<name>[gnVT]\d{4})\.jpg"
MASK = r"Disc_Cup_Masks/(?:.+/)?(?P<name>[gnVT]\d{4})\.bmp"
LEVELS = {2: (0, 0), 1: (128, 128), 0: (255, 255)}  # cup, rim, background: refuge.grand-challenge.org/Details
SPLIT_OF_LETTER = {"g": "train", "n": "train", "V": "validation", "T": "test"}
NAMES = {
    "train": [f"g{i:04d}" for i in range(1, 41)] + [f"n{i:04d}" for i in range(1, 361)],
    "validation": [f"V{i:04d}" for i in range(1, 401)],
    "test": [f"T{i:04d}" for i in range(1, 401)],
}
SPLITS = Path(__file__).resolve().parent / "splits"
PAPERS = {"train", "validation"}
HELD_OUT = {name for n in (3, 4) for name in read_names(SPLITS / f"domain{n}_test.txt")}


def find(source: Path, names: Mapping[str, Sequence[str]]) -> list[Pair]:
    """The pairs of the official splits, counted."""
    images = find_files(source, IMAGE, "Training400/Glaucoma/g0001.jpg")
    masks = find_files(source, MASK, "Annotation-Training400/Disc_Cup_Masks/Glaucoma/g0001.bmp")
    pairs = [pair._replace(split=SPLIT_OF_LETTER[pair.name[0]]) for pair in pair_up(images, masks)]
    check_counts(pairs, {split: len(known) for split, known in names.items()}, names)
    return pairs


def divide(pair: Pair) -> Pair:
    """Its split of the papers; the test set, which they leave out, stays ``test``."""
    ending = f"_{80 if pair.name in HELD_OUT else 320}" if pair.split in PAPERS else ""
    return pair._replace(split=pair.split + ending)


def decode(pair: Pair) -> tuple[np.ndarray, np.ndarray]:
    """Image and class ids."""
    return read_rgb(pair.image), classify_grey(read_grey(pair.masks[0]), LEVELS)


def main(arguments: Sequence[str] | None = None, names: Mapping[str, Sequence[str]] = NAMES) -> None:
    """Prepare the dataset; ``names`` are those of the complete release."""
    parser = command_line(__doc__, crop=True)
    parser.add_argument("--papers", action="store_true", help="divide training and validation set 320/80")
    options = parser.parse_args(arguments)
    pairs = find(options.source, names)
    if options.papers:
        pairs = [divide(pair) for pair in pairs]
    settings = {"dataset": "REFUGE", "papers": options.papers}
    print(prepare(pairs, decode, out=options.out, settings=settings, **framing(options)))


if __name__ == "__main__":
    with one_sentence():
        main()
