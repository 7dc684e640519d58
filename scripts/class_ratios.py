"""Measure which share of the pixels of labelled images each structure takes, for methods with a class-ratio prior.

python scripts/class_ratios.py SOURCE bundles/fundus_disc_cup/models/source_ratios.json disc=1,2 cup=2
python scripts/class_ratios.py SOURCE bundles/nuclei_fluorescence/models/source_ratios.json background=0 nucleus=1

`monai-sfda train` writes this file itself. Masks are read as the bundle's training reads them: for the fundus bundle,
full photographs are cut around the disc.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from monai_sfda.data import find_pairs
from monai_sfda.training import class_ratios, write_ratios


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and write; a mistake ends with one sentence and exit status 1."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path, help="labelled images: {image,mask}/NAME.png")
    parser.add_argument("target", type=Path, help="JSON file to write")
    parser.add_argument("channels", nargs="+", metavar="NAME=ID,ID", help="class ids of each channel, in their order")
    parser.add_argument("--bundle", type=Path, help="bundle that the file is for; the one that it lies in, if left out")
    parser.add_argument("--data", default="", help="what the images are, kept in the file")
    options = parser.parse_args(arguments)
    try:
        channels = {name: [int(i) for i in ids.split(",")] for name, ids in (c.split("=") for c in options.channels)}
        if len(channels) < len(options.channels):
            raise ValueError("a name stands twice")
    except ValueError:
        parser.error(f"Expected channels such as disc=1,2, found {' '.join(options.channels)}.")
    try:
        bundle = options.bundle or options.target.absolute().parents[1]
        if not (bundle / "configs" / "train_denoiser.json").is_file():
            raise ValueError(
                f"Expected a bundle with configs/train_denoiser.json at {bundle}, found none; give --bundle."
            )
        found = class_ratios(find_pairs(options.dataset), channels, bundle)
    except (OSError, ValueError) as error:
        raise SystemExit(str(error)) from None
    write_ratios(options.target, data=options.data, channels=channels, **found._asdict())
    print(f"{options.target}: " + ", ".join(f"{name} {100 * ratio:.2f} %" for name, ratio in found.ratios.items()))


if __name__ == "__main__":
    main()
