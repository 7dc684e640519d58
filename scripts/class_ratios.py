"""Measure which share of the pixels of labelled images each structure takes, for methods with a class-ratio prior.

python scripts/class_ratios.py SOURCE bundles/fundus_disc_cup/models/source_ratios.json disc=1,2 cup=2
python scripts/class_ratios.py SOURCE bundles/nuclei_fluorescence/models/source_ratios.json background=0 nucleus=1
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from monai_sfda.data import find_pairs
from monai_sfda.transforms import MaskReader


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and write; a mistake ends with one sentence and exit status 1."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path, help="labelled images: {image,mask}/NAME.png")
    parser.add_argument("target", type=Path, help="JSON file to write")
    parser.add_argument("channels", nargs="+", metavar="NAME=ID,ID", help="class ids of each channel, in their order")
    parser.add_argument("--data", default="", help="what the images are, kept in the file")
    options = parser.parse_args(arguments)
    try:
        channels = {name: [int(i) for i in ids.split(",")] for name, ids in (c.split("=") for c in options.channels)}
    except ValueError:
        parser.error(f"Expected channels such as disc=1,2, found {' '.join(options.channels)}.")
    try:
        ratios, images = measure(options.dataset, channels)
    except (OSError, ValueError) as error:
        raise SystemExit(str(error)) from None
    options.target.write_text(json.dumps({"data": options.data, "images": images, "ratios": ratios}, indent=4) + "\n")
    print(f"{options.target}: " + ", ".join(f"{name} {100 * ratio:.2f} %" for name, ratio in ratios.items()))


def measure(dataset: Path, channels: Mapping[str, Sequence[int]]) -> tuple[dict[str, float], int]:
    """Mean over images of the share of pixels of each channel, and how many images there are."""
    reader = MaskReader(ids=sorted({0}.union(*channels.values())))
    pairs = find_pairs(dataset)
    shares = [
        [np.isin(mask, ids).mean() for ids in channels.values()]
        for mask in (np.asarray(reader.decode(Path(pair["label"]))) for pair in pairs)
    ]
    means = np.mean(shares, axis=0)
    return {name: round(float(mean), 6) for name, mean in zip(channels, means, strict=True)}, len(pairs)


if __name__ == "__main__":
    main()
