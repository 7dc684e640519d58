"""RIM-ONE r3: ``python3 scripts/prepare_rim_one_r3.py SOURCE OUT [--masks average] [--size 512] [--crop 800]``.

SOURCE holds the unpacked release of the University of La Laguna with the folders Healthy and Glaucoma and suspects. OUT
receives train (99 images) and test (60), the split of scripts/splits/domain2_{train,test}.txt. The photographs are
stereo pairs; both the image and the masks are cut to the left half, the one that was segmented. More in docs/data.md.
"""

import environment

environment.enter("dev")

from collections.abc import Mapping, Sequence  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402

from monai_sfda.console import one_sentence  # noqa: E402
from monai_sfda.datasets.command import command_line, framing  # noqa: E402
from monai_sfda.datasets.files import Pair, check_counts, find_files, pair_up, read_names  # noqa: E402
from monai_sfda.datasets.masks import ids_of_structures, read_rgb, read_structure  # noqa: E402
from monai_sfda.datasets.prepare import prepare  # noqa: E402

NAME = r"(?P<name>[NGS]-\d+-[LR])"
GROUP = "(?:Healthy|Glaucoma and suspects)"
# Whose segmentation: folder, and how its files are named after the image.
MASKS = {
    "average": ("Average_masks", "{structure}-Avg"),
    "expert1": ("Expert1_masks", "1-{structure}-exp1"),
    "expert2": ("Expert2_masks", "1-{structure}-exp2"),
}
SPLITS = Path(__file__).resolve().parent / "splits"
NAMES = {split: read_names(SPLITS / f"domain2_{split}.txt") for split in ("train", "test")}


def find(source: Path, masks: str, names: Mapping[str, Sequence[str]]) -> list[Pair]:
    """The pairs with their splits, counted; an image on no list is in none and refused."""
    folder, ending = MASKS[masks]
    images = find_files(source, rf"{GROUP}/Stereo Images/{NAME}\.jpg", "Healthy/Stereo Images/N-1-L.jpg")
    disc, cup = (
        find_files(source, rf"{GROUP}/{folder}/{NAME}-{tail}\.png", f"Healthy/{folder}/N-1-L-{tail}.png")
        for tail in (ending.format(structure=structure) for structure in ("Disc", "Cup"))
    )
    split_of = {name: split for split, listed in names.items() for name in listed}
    pairs = [pair._replace(split=split_of.get(pair.name, "no split")) for pair in pair_up(images, disc, cup)]
    check_counts(pairs, {split: len(listed) for split, listed in names.items()}, names)
    return pairs


def decode(pair: Pair) -> tuple[np.ndarray, np.ndarray]:
    """Left half of the image and its class ids; masks may have the width of the stereo pair or of its half."""
    image = read_rgb(pair.image)
    width = image.shape[1] // 2
    disc, cup = (read_structure(path) for path in pair.masks)
    for structure in (disc, cup):
        if structure[:, width:].any():
            raise ValueError("Expected the segmentation in the left half of the stereo pair, found it in the right.")
    return image[:, :width], ids_of_structures(disc[:, :width], cup[:, :width])


def main(arguments: Sequence[str] | None = None, names: Mapping[str, Sequence[str]] = NAMES) -> None:
    """Prepare the dataset; ``names`` are those of the complete release."""
    parser = command_line(__doc__, crop=True)
    parser.add_argument("--masks", choices=list(MASKS), default="average", help="whose segmentation (average)")
    options = parser.parse_args(arguments)
    pairs = find(options.source, options.masks, names)
    settings = {"dataset": "RIM-ONE r3", "masks": options.masks}
    print(prepare(pairs, decode, out=options.out, settings=settings, **framing(options)))


if __name__ == "__main__":
    with one_sentence():
        main()
