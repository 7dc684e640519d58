"""Gather measured adaptations for what `monai-sfda choose` says before anything is outlined.

    python scripts/measured_adaptations.py OUTPUT [OUTPUT ...]

Each OUTPUT is a folder of `monai-sfda benchmark`. Writes monai_sfda/candidates/adaptations.csv anew, from all of them
together: names of pairs, methods and structures, and numbers, no images. `monai-sfda benchmark --replay` writes the
same table of one output.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from monai_sfda.benchmark.adaptations import write_adaptations
from monai_sfda.candidates.like_it import MEASURED
from monai_sfda.console import one_sentence


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("outputs", nargs="+", type=Path, metavar="OUTPUT")
    parser.add_argument("--table", type=Path, default=MEASURED, help="another file to write")
    options = parser.parse_args(arguments)
    with one_sentence():
        if absent := [folder for folder in options.outputs if not any(folder.glob("*/*/scores/summary.json"))]:
            raise FileNotFoundError(f"Expected scored cells of a benchmark in {absent[0]}, found none; run it first.")
        print(f"{write_adaptations(options.table, options.outputs)} adaptations in {options.table}")


if __name__ == "__main__":
    main()
