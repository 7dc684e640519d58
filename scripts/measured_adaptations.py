"""Gather measured adaptations for what `monai-sfda choose` says before anything is outlined.

    python scripts/measured_adaptations.py OUTPUT [OUTPUT ...]
    python scripts/measured_adaptations.py --leave-one-pair-out

Each OUTPUT is a folder of `monai-sfda benchmark`. Writes monai_sfda/candidates/adaptations.csv anew, from all of them
together: names of pairs, methods and structures, and numbers, no images. `monai-sfda benchmark --replay` writes the
same table of one output.
--leave-one-pair-out: what the sentence would have said of each pair from all others, and what happened.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from monai_sfda.benchmark.adaptations import write_adaptations
from monai_sfda.candidates.like_it import MEASURED, has_lost, look, measured
from monai_sfda.console import one_sentence


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("outputs", nargs="*", type=Path, metavar="OUTPUT")
    parser.add_argument("--table", type=Path, default=MEASURED, help="another file to write")
    parser.add_argument("--leave-one-pair-out", action="store_true", help="of the table as it is; writes nothing")
    options = parser.parse_args(arguments)
    if bool(options.outputs) == options.leave_one_pair_out:
        parser.error("Expected OUTPUT or --leave-one-pair-out, one of both.")
    with one_sentence():
        if options.leave_one_pair_out:
            return print("\n".join(left_out(options.table)))
        if absent := [folder for folder in options.outputs if not any(folder.glob("*/*/scores/summary.json"))]:
            raise FileNotFoundError(f"Expected scored cells of a benchmark in {absent[0]}, found none; run it first.")
        print(f"{write_adaptations(options.table, options.outputs)} adaptations in {options.table}")


def left_out(table: Path) -> Iterator[str]:
    """Lines of a markdown table: of each pair and look, the share that lost elsewhere, and what lost here."""
    runs = {key: (look(rows), has_lost(rows)) for key, rows in measured(table).items()}
    yield "| pair | checks | sizes | of the other pairs' adaptations lost | of its own lost |"
    yield "|---|---|---|---|---|"
    for pair in sorted({key[0] for key in runs}):
        here, elsewhere = ([run for key, run in runs.items() if (key[0] == pair) == own] for own in (True, False))
        for decision, moved in sorted({seen for seen, _ in here}):
            counts = [_count(lost for seen, lost in group if seen == (decision, moved)) for group in (elsewhere, here)]
            yield f"| {pair} | {decision} | {'changed' if moved else 'hardly changed'} | {counts[0]} | {counts[1]} |"


def _count(lost: Iterable[bool]) -> str:
    found = list(lost)
    return f"{sum(found)} of {len(found)}"


if __name__ == "__main__":
    main()
