"""Phantoms of an organ in two acquisitions: ``python scripts/draw_phantoms.py prostate OUT``.

Writes OUT/{source,target}/{image,mask}/phantom_000.nii.gz and so on: of the prostate, body coil and endorectal coil; of
the spine, the water image and the in-phase image of a Dixon sequence. The same words draw the same volumes. Phantoms
show the workflow; what a method reaches on them means nothing for patients.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from monai_sfda.console import one_sentence
from monai_sfda.organs import prostate, spine
from monai_sfda.organs.phantoms import write_phantoms

ORGANS = {
    "prostate": (prostate.ACQUISITIONS, prostate.draw_prostate),
    "spine": (spine.ACQUISITIONS, spine.draw_spine),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the phantoms; a mistake ends with one sentence and exit status 1."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("organ", choices=ORGANS)
    parser.add_argument("out", type=Path)
    parser.add_argument("--count", type=int, default=10, help="of each acquisition")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    if options.count < 1 or options.seed < 0:
        parser.error(f"Expected a count from 1 and a seed from 0, found {options.count} and {options.seed}.")
    acquisitions, draw = ORGANS[options.organ]
    for side, acquisition in zip(("source", "target"), acquisitions, strict=True):
        write_phantoms(options.out / side, draw, acquisition, count=options.count, seed=options.seed)
        print(f"{options.count} phantoms in {options.out / side}: {options.organ}, {acquisition.replace('_', ' ')}")


if __name__ == "__main__":
    with one_sentence():
        main()
