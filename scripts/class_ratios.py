"""Measure which share of the pixels of labelled images each structure takes, for methods with a class-ratio prior.

python scripts/class_ratios.py SOURCE bundles/fundus_disc_cup/models/source_ratios.json disc=1,2 cup=2
python scripts/class_ratios.py SOURCE bundles/nuclei_fluorescence/models/source_ratios.json background=0 nucleus=1

`monai-sfda train` writes this file itself. Masks are read as the bundle's training reads them: for the fundus bundle,
full photographs are cut around the disc; of volumes, what the network sees of them.

A file NAME.csv becomes a table of sizes, a row for each image or slice of --images, as released with AdaMI:

python scripts/class_ratios.py SOURCE sizes.csv background=0 cavity=1 --bundle bundles/heart_cine_mri --images TARGET

If TARGET is labelled (TARGET/image and TARGET/mask), the table also says which classes each image shows. These are
image-level labels of the target: an adaptation that uses them has to declare it.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from monai_sfda.data import find_pairs
from monai_sfda.training import class_ratios, write_ratios, write_sizes


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and write; a mistake ends with one sentence and exit status 1."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path, help="labelled images: {image,mask}/NAME.png")
    parser.add_argument("target", type=Path, help="JSON file to write, or CSV for a table of sizes")
    parser.add_argument("channels", nargs="+", metavar="NAME=ID,ID", help="class ids of each channel, in their order")
    parser.add_argument("--bundle", type=Path, help="bundle that the file is for; the one that it lies in, if left out")
    parser.add_argument("--data", default="", help="what the images are, kept in the file")
    parser.add_argument("--images", type=Path, help="of a table: the images that it is for; the dataset, if left out")
    options = parser.parse_args(arguments)
    table = options.target.suffix == ".csv"
    if options.images and not table:
        parser.error("Expected a file NAME.csv with --images, found another; leave --images out.")
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
        if table:
            sizes = write_sizes(options.target, options.dataset, options.images or options.dataset, channels, bundle)
            print(f"{options.target}: " + ", ".join(f"{name} {size} pixels" for name, size in sizes.items()))
            return
        found = class_ratios(find_pairs(options.dataset), channels, bundle)
    except (OSError, ValueError) as error:
        raise SystemExit(str(error)) from None
    write_ratios(options.target, data=options.data, channels=channels, **found._asdict())
    print(f"{options.target}: " + ", ".join(f"{name} {100 * ratio:.2f} %" for name, ratio in found.ratios.items()))


if __name__ == "__main__":
    main()
