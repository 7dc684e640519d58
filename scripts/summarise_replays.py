"""What choosing with ten outlines was worth, over all pairs that were replayed.

    python scripts/summarise_replays.py OUTPUT [OUTPUT ...]

Each OUTPUT is a folder of `monai-sfda benchmark --replay`. Prints a line of a markdown table for each pair, of means
over its structures, and the mean over pairs; below it, what one method for all pairs would have gained.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean, median
from typing import Any

from monai_sfda.choice.rule import Rule
from monai_sfda.console import one_sentence
from monai_sfda.json_file import read_json

OUTLINES, MOST = "10", "20"
COLUMNS = (
    "pair",
    "candidates",
    "runs that lose more than a point, %",
    "decisions that do, with 10 outlines, %",
    "gain kept, %",
    "gain, points",
    "largest possible",
    "outlines, median",
    "intervals told that hold, %",
)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("outputs", nargs="+", type=Path, metavar="OUTPUT")
    options = parser.parse_args(arguments)
    with one_sentence():
        print("\n".join(summary([folder / "replay.json" for folder in options.outputs])))


def summary(files: Sequence[Path]) -> Iterator[str]:
    """Lines of the table, and of what one method for all pairs gains."""
    pairs: dict[str, list[Mapping[str, Any]]] = {}
    for file in files:
        for panel in read_json(file)["panels"]:
            pairs.setdefault(panel["pair"], []).append(panel)
    yield f"| {' | '.join(COLUMNS)} |"
    yield f"|{'---|' * len(COLUMNS)}"
    rows = {pair: _row(panels) for pair, panels in pairs.items()}
    for pair, row in rows.items():
        yield _line(pair, row)
    yield _line("mean", [_mean(column) for column in zip(*rows.values(), strict=True)])
    common = [set(panels[0]["gains"]) for panels in pairs.values()]
    methods = sorted(set.intersection(*common))
    if methods:
        worth = {
            name: fmean(fmean(_gain(p, f"always {name}") for p in ps) for ps in pairs.values()) for name in methods
        }
        best = max(worth, key=lambda name: worth[name])
        yield ""
        yield "The same method for all pairs, points: " + ", ".join(f"{n} {100 * g:+.1f}" for n, g in worth.items())
        yield f"The best of them, which nobody knows beforehand, is {best}."


def _row(panels: Sequence[Mapping[str, Any]]) -> list[float | None]:
    """Means over the structures of a pair, in the order of the columns."""
    rules = [panel["shares"]["the rule"] for panel in panels]
    runs = [gain for panel in panels for gains in panel["gains"].values() for gain in gains]
    gain, best = fmean(rule[OUTLINES]["gain"] for rule in rules), fmean(panel["best"] for panel in panels)
    return [
        fmean(len(panel["gains"]) for panel in panels),
        100 * fmean(gain < -Rule().margin for gain in runs),
        100 * fmean(rule[OUTLINES]["harm"] for rule in rules),
        100 * gain / best if best else None,
        100 * gain,
        100 * best,
        median(rule.get(MOST, list(rule.values())[-1])["used"][0] for rule in rules),
        _mean([100 * rule[OUTLINES]["said"] for rule in rules if rule[OUTLINES]["said"] is not None]),
    ]


def _gain(panel: Mapping[str, Any], policy: str) -> float:
    return panel["shares"][policy][OUTLINES]["gain"]


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def _line(name: str, row: Sequence[float | None]) -> str:
    return f"| {name} | {' | '.join('-' if value is None else f'{value:.1f}' for value in row)} |"


if __name__ == "__main__":
    main()
