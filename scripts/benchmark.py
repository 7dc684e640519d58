"""Compare adaptation methods on real pairs: ``python3 scripts/benchmark.py MATRIX.json ... --output DIR``.

The same as ``monai-sfda benchmark``, from a fresh clone. A matrix names pairs (bundle, labelled source folder,
labelled target folder), methods and seeds; later files lie over earlier ones, so pairs and methods can be two files::

    {"pairs": {"nuclei": {"bundle": "bundles/nuclei_fluorescence", "source": "SRC", "target": "TGT",
                          "train": {"epochs": 60}, "adapt": {}}},
     "methods": ["bn_stats", {"name": "decay 0.9", "configs": ["cbmt"], "settings": {"teacher::decay": 0.9}}],
     "seeds": [0, 1, 2], "oracle": false, "bound": true}

For each pair one source network is trained (or given as "checkpoint") without looking at the target. Adaptation sees
the target's images and never its masks; the last epoch is scored on the same images, as a clinic would use it. A
pair's bundle, source, target and checkpoint are relative to the file; paths within "train" or "adapt" are not.
``scripts/benchmarks`` holds the methods of the README's tables.
"""

import environment

environment.enter("dev")

import argparse  # noqa: E402

from monai_sfda import cli  # noqa: E402
from monai_sfda.console import one_sentence  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("matrix", nargs="+")
    parser.add_argument("--output", required=True)
    options = parser.parse_args()
    cli.benchmark(options.matrix, output=options.output)


if __name__ == "__main__":
    with one_sentence():
        main()
