"""See an adaptation and what it is worth: ``python3 scripts/demo.py [--task fundus] [--output DIR]``.

Without options the shipped network for nuclei meets real images of another instrument; ``--task fundus`` shows the same
with simulated photographs of the eye. A second run continues where the first stopped.
"""

import environment

environment.enter("dev")

import argparse  # noqa: E402
from pathlib import Path  # noqa: E402

import demo_fundus  # noqa: E402
import demo_nuclei  # noqa: E402

from monai_sfda.console import one_sentence  # noqa: E402

TASKS = {"nuclei": demo_nuclei, "fundus": demo_fundus}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--task", choices=TASKS, default="nuclei")
    parser.add_argument("--output", type=Path, help="runs/demo/TASK if left out")
    options = parser.parse_args()
    TASKS[options.task].run(options.output or environment.ROOT / "runs" / "demo" / options.task)


if __name__ == "__main__":
    with one_sentence():
        main()
