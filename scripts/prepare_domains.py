"""Ready-made crops: ``python3 scripts/prepare_domains.py SOURCE OUT [--domains Domain2 ...] [--size 512] [--full]``.

SOURCE holds the unpacked archive that BEAL, DPL and CBMT link to: DomainN/{train,test}/ROIs/{image,mask}/NAME.png with
Domain1 Drishti-GS, Domain2 RIM-ONE r3, Domain3 the REFUGE training set, Domain4 its validation set. OUT receives
DomainN/train and DomainN/test: these folders are the split. Masks become class ids; with --full nothing is scaled. More
in docs/data.md.
"""

import environment

environment.enter("dev")

from collections.abc import Mapping, Sequence  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402

from monai_sfda.console import one_sentence  # noqa: E402
from monai_sfda.datasets.command import command_line, framing  # noqa: E402
from monai_sfda.datasets.files import Pair, check_counts, find_files, first_of, pair_up, read_names  # noqa: E402
from monai_sfda.datasets.masks import classify_grey, read_grey, read_rgb  # noqa: E402
from monai_sfda.datasets.prepare import prepare  # noqa: E402

# Cup, rim and background as the code released with the three papers tells them apart (custom_transforms.Normalize_tf).
LEVELS = {2: (0, 50), 1: (51, 200), 0: (201, 255)}
SPLITS = Path(__file__).resolve().parent / "splits"
NAMES = {
    f"Domain{n}": {split: read_names(SPLITS / f"domain{n}_{split}.txt") for split in ("train", "test")}
    for n in (1, 2, 3, 4)
}


def find(source: Path, domain: str, names: Mapping[str, Sequence[str]]) -> list[Pair]:
    """The pairs of a domain with the split of their folder, counted; names that are not on the lists are reported."""
    images, masks = (
        find_files(
            source,
            rf"(?P<split>{domain}/(?:train|test))/ROIs/{kind}/(?P<name>[^/]+)\.png",
            f"{domain}/train/ROIs/{kind}/NAME.png",
        )
        for kind in ("image", "mask")
    )
    pairs = pair_up(images, masks)
    listed = {f"{domain}/{split}": known for split, known in names.items()}
    check_counts(pairs, {split: len(known) for split, known in listed.items()}, listed)
    unlisted = [pair.name for pair in pairs if pair.name not in listed[pair.split]]
    if unlisted:
        print(f"{domain}: {len(unlisted)} images are in another split than scripts/splits says ({first_of(unlisted)}).")
    return pairs


def decode(pair: Pair) -> tuple[np.ndarray, np.ndarray]:
    """Image and class ids."""
    return read_rgb(pair.image), classify_grey(read_grey(pair.masks[0]), LEVELS)


def main(arguments: Sequence[str] | None = None, names: Mapping[str, Mapping[str, Sequence[str]]] = NAMES) -> None:
    """Prepare the dataset; ``names`` are those of the complete release."""
    parser = command_line(__doc__, crop=False)
    parser.add_argument("--domains", nargs="+", choices=list(NAMES), default=list(NAMES), help="which (all four)")
    options = parser.parse_args(arguments)
    pairs = [pair for domain in options.domains for pair in find(options.source, domain, names[domain])]
    settings = {"dataset": "Domain1 to Domain4 of BEAL, DPL and CBMT"}
    print(prepare(pairs, decode, out=options.out, settings=settings, **framing(options)))


if __name__ == "__main__":
    with one_sentence():
        main()
