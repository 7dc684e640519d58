"""What else the outlines could be good for: the source network, fine-tuned on them, beside `choose` on the same ones.

Takes a finished benchmark, whose cells are the candidates. For each of a few orders of images and each number of
outlines: the rule of `choose` decides with that many, and the source network is trained on them. Both are scored on
the images that were never outlined in this order, against the source network. The same command continues.

    monai-sfda benchmark "['PAIR.json','METHODS.json']" --output DIR
    python scripts/benchmark_fine_tuning.py PAIR.json METHODS.json --output DIR

Writes DIR/fine_tuning.md. Images are drawn uniformly. Candidates of the first order are those of the first seed, and
so on. Structures are decided one by one.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean, stdev
from typing import NamedTuple

from monai_sfda.benchmark.gains import same_cases, scored
from monai_sfda.benchmark.job import carry_out
from monai_sfda.benchmark.matrix import Matrix, Pair, file_name, read_matrix
from monai_sfda.benchmark.run import SCORING, Cell, finished_cells
from monai_sfda.candidates.fine_tune import TRAINING
from monai_sfda.choice import Rule, decide, draw_order, estimate_gain, pull, weights
from monai_sfda.console import one_sentence
from monai_sfda.files import whole_file, without_suffix
from monai_sfda.tables import read_csv

RULE = "the rule of `choose`"


class Result(NamedTuple):
    pair: str
    structure: str
    outlines: int
    what: str
    gain: float
    """In Dice, mean over the images that were never outlined."""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("matrix", nargs="+", help="files of the benchmark, in the order that they had there")
    parser.add_argument("--output", type=Path, required=True, help="of the benchmark")
    parser.add_argument("--outlines", type=int, nargs="+", default=[8, 20])
    parser.add_argument("--orders", type=int, default=3)
    parser.add_argument("--epochs", type=int, nargs="+", default=[20, 100], help="of fine-tuning; each is a row")
    options = parser.parse_args(arguments)
    with one_sentence():
        matrix = read_matrix(options.matrix)
        results = [
            result
            for pair in matrix.pairs
            for result in compare(matrix, pair, options.output, options.outlines, options.orders, options.epochs)
        ]
        text = "\n".join(table(results)) + "\n"
        with whole_file(options.output / "fine_tuning.md") as draft:
            draft.write_text(text, encoding="utf-8")
        print(text)


def compare(
    matrix: Matrix, pair: Pair, output: Path, outlines: Sequence[int], orders: int, epochs: Sequence[int]
) -> Iterator[Result]:
    """Gains of what was chosen, of each candidate and of fine-tuning, for each order and number of outlines."""
    cells = [cell for cell in finished_cells(matrix, output) if cell.pair == pair.name]
    before = read_csv(cells[0].folder / "scores" / "cases.csv")
    source = json.loads((cells[0].folder / "scores" / "spec.json").read_text())["runs"][0]["overrides"]
    names, seeds = [row["case"] for row in before], sorted({cell.seed for cell in cells if cell.seed is not None})
    if max(outlines) >= len(names):
        raise ValueError(f"Expected fewer than {len(names)} outlines, found {max(outlines)}; give --outlines.")
    for number in range(orders):
        after = _of_seed(cells, seeds[number % len(seeds)], before)
        order = draw_order(dict.fromkeys(names, 0.0), seed=number, uniform=True, count=max(outlines))
        drawn = [names.index(draw.case) for draw in order]
        held = [index for index in range(len(names)) if index not in drawn]
        for n in outlines:
            counts = weights(order[:n], len(names))
            tuned = {
                f"fine-tuned, {length} epochs": _tuned(
                    pair, output / file_name(pair.name) / "fine_tuned" / f"order_{number}_{n}_{length}", before, source,
                    [draw.case for draw in order[:n]], length,
                )
                for length in epochs
            }  # fmt: skip
            for structure, gains in scored(before, {**after, **tuned})[0].gains.items():
                pulled = pull(
                    {name: [gains[name][i] for i in drawn[:n]] for name in after}, weights=counts, total=len(names)
                )
                known = {name: estimate_gain(values, total=len(names)) for name, values in pulled.items()}
                decision = decide(structure, known, total=len(names), rule=Rule(cap=n))
                chosen = gains[decision.candidate] if decision.action == "adopt" else [0.0] * len(names)
                for what, values in {RULE: chosen, **gains}.items():
                    yield Result(pair.name, structure, n, what, fmean(values[i] for i in held))


def _of_seed(cells: Sequence[Cell], seed: int, before: Sequence[Mapping[str, str]]) -> dict[str, list[dict[str, str]]]:
    return {cell.method: same_cases(cell.folder, before) for cell in cells if cell.seed == seed}


def _tuned(
    pair: Pair, folder: Path, before: Sequence[Mapping[str, str]], source: Mapping, cases: Sequence[str], epochs: int
) -> list[dict[str, str]]:
    """Rows of the source network after it was trained on the labels of ``cases``; it is scored as it was before."""
    labelled = folder / "labelled"
    if not (folder / "trained" / "cost.json").exists():
        shutil.rmtree(folder, ignore_errors=True)
        for kind in ("image", "mask"):
            (labelled / kind).mkdir(parents=True)
            for case in cases:
                named = Path(without_suffix(case))
                (path,) = (pair.target / kind / named).parent.glob(f"{named.name}.*")
                name = "_".join(path.relative_to(pair.target / kind).parts)
                (labelled / kind / name).symlink_to(path.resolve())
    size = {key: pair.adapt[key] for key in ("image_size",) if key in pair.adapt}
    places = {"dataset_dir": labelled, "ckpt_dir": folder / "trained", "checkpoint": source["checkpoint"], **size}
    carry_out(folder / "trained", pair.bundle, [(["train.json"], {**TRAINING, "epochs": epochs, **places})])
    after = {**source, "checkpoint": folder / "trained" / "model.pt", "output_dir": folder / "scores"}
    carry_out(folder / "scores", pair.bundle, [(SCORING, after)])
    return same_cases(folder, before)


def table(results: Sequence[Result]) -> Iterator[str]:
    """Markdown: gain in points of Dice, mean and spread over the orders, one column for each number of outlines."""
    for pair in dict.fromkeys(result.pair for result in results):
        for structure in dict.fromkeys(result.structure for result in results if result.pair == pair):
            here = [result for result in results if (result.pair, result.structure) == (pair, structure)]
            counts = sorted({result.outlines for result in here})
            yield f"| {pair}, {structure} | " + " | ".join(f"{n} outlines" for n in counts) + " |"
            yield "|---" * (1 + len(counts)) + "|"
            for what in dict.fromkeys(result.what for result in here):
                gains = [[100 * r.gain for r in here if (r.what, r.outlines) == (what, n)] for n in counts]
                yield f"| {what} | " + " | ".join(map(_spread, gains)) + " |"
            yield ""


def _spread(gains: Sequence[float]) -> str:
    return f"{fmean(gains):+.1f}" + (f" ± {stdev(gains):.1f}" if len(gains) > 1 else "")


if __name__ == "__main__":
    main()
