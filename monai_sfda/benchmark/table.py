"""Write the results as a tidy CSV file and as a table for readers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import fmean, stdev
from typing import Any, NamedTuple

from monai_sfda.benchmark.run import Cell
from monai_sfda.delivery.verdict import read_verdict
from monai_sfda.files import whole_file
from monai_sfda.json_file import read_json, write_json
from monai_sfda.metrics import paired_bootstrap
from monai_sfda.tables import read_csv, write_csv

__all__ = ["Row", "rows_of", "write_table"]

COLUMNS = ("pair", "method", "kind", "structure", "seed", "measure", "value")
NAMES = {
    "method": "method",
    "structure": "structure",
    "dice": "Dice %",
    "published": "Dice %, papers' cut-off",
    "assd": "ASSD {unit}, mean of directed",
    "pooled": "ASSD {unit}, pooled",
    "hd95": "HD95 {unit}",
    "missing": "not found",
    "change": "change of Dice",
    "worse": "images made worse",
    "verdict": "verdict",
    "seconds": "s",
    "megabytes": "MB",
}


class Row(NamedTuple):
    """A method on one structure of one pair; lists have one number per seed."""

    pair: str
    method: str
    structure: str
    kind: str
    """``source``, ``method``, ``oracle`` or ``bound``."""
    dice: Sequence[float] = ()
    """Mean over cases, in per cent, at the cut-offs fitted to the source network."""
    published: Sequence[float] = ()
    """The same at the cut-off of the papers."""
    assd: Sequence[float] = ()
    """Of the cases that can be measured; a seed without any has no number here."""
    pooled: Sequence[float] = ()
    hd95: Sequence[float] = ()
    missing: Sequence[int] = ()
    """Cases in which nothing was predicted where there is something."""
    change: dict[str, Any] | None = None
    """Of the Dice of each case and seed, against source only; see `paired_bootstrap`."""
    verdicts: Sequence[str] = ()
    """``keep-source`` or ``outline``."""
    seconds: Sequence[float] = ()
    megabytes: Sequence[float] = ()
    notes: str = ""
    unit: str = "px"
    """Of distances: px, or mm for volumes."""


def rows_of(cells: Sequence[Cell]) -> list[Row]:
    """Rows in the order of the cells, seeds gathered, an oracle row after each method that kept epochs."""
    rows: list[Row] = []
    for pair in dict.fromkeys(cell.pair for cell in cells):
        mine = [cell for cell in cells if cell.pair == pair]
        source = next(cell for cell in mine if cell.kind == "source").folder / "scores"
        for method in dict.fromkeys(cell.method for cell in mine):
            seeds = [cell for cell in mine if cell.method == method]
            done = [cell for cell in seeds if not cell.failure]
            if len(done) < len(seeds):
                failure = next(cell.failure for cell in seeds if cell.failure)
                rows.append(Row(pair, method, "", seeds[0].kind, notes=f"{len(seeds) - len(done)} failed: {failure}"))
            if done:
                rows += _rows(done, [cell.folder / "scores" for cell in done], source, seeds[0].kind, method)
            best = [_best_epoch(cell.folder) for cell in done]
            if done and all(best):
                name = f"{method}, best epoch by these labels (oracle)"
                rows += _rows(done, [folder for folder in best if folder], source, "oracle", name)
    return rows


def write_table(cells: Sequence[Cell], output: Path) -> str:
    """Write ``results.csv`` (one number a line), ``results.json`` (rows) and ``table.md``, and return the last."""
    rows = rows_of(cells)
    write_csv(output / "results.csv", COLUMNS, (dict(zip(COLUMNS, line, strict=True)) for line in _tidy(cells)))
    write_json(output / "results.json", [row._asdict() for row in rows], indent=1)
    pairs = dict.fromkeys(row.pair for row in rows)
    text = "\n\n".join(_markdown(pair, [row for row in rows if row.pair == pair]) for pair in pairs) + "\n"
    with whole_file(output / "table.md") as draft:
        draft.write_text(text, encoding="utf-8")
    return text


def _rows(cells: Sequence[Cell], folders: Sequence[Path], source: Path, kind: str, name: str) -> list[Row]:
    whole = [read_json(folder / "summary.json") for folder in folders]
    summaries = [summary["structures"] for summary in whole]
    unit = "mm" if whole[0]["assd_unit"] == "mm" else "px"
    reports = [read_json(cell.folder / "run" / "report.json") for cell in cells if cell.kind == "method"]
    files = [folder.with_name("scores_published") / "summary.json" for folder in folders if folder.name == "scores"]
    published = [read_json(file)["structures"] for file in files if file.exists()]
    cases = [] if kind == "source" else [read_csv(folder / "cases.csv") for folder in (source, *folders)]
    rows = []
    for structure in summaries[0]:
        dice, papers, assd, pooled, hd95 = (
            [factor * mean for s in found if (mean := s[structure][measure]["mean"]) is not None]
            for found, measure, factor in (
                (summaries, "dice", 100),
                (published, "dice", 100),
                (summaries, "assd_mean_of_directed", 1),
                (summaries, "assd_pooled", 1),
                (summaries, "hd95", 1),
            )
        )
        missing = [summary[structure]["missed"] for summary in summaries]
        scores = (dice, papers, assd, pooled, hd95, missing)
        change = None
        if cases:
            before, *after = [[float(row[f"{structure}_dice"] or "nan") for row in table] for table in cases]
            change = paired_bootstrap(before, after)
        rows.append(Row(cells[0].pair, name, structure, kind, *scores, change, unit=unit))
    if kind == "method":
        costs = [cell.cost for cell in cells if cell.cost]
        said = {
            "reconstruction": "reconstruction",
            "uses_target_tags": "uses image-level labels of the target",
            "uses_source": "uses labelled source images",
        }
        rows[0] = rows[0]._replace(
            verdicts=[read_verdict(report)["decision"] for report in reports],
            seconds=[cost.seconds for cost in costs if cost.seconds is not None],
            megabytes=[cost.megabytes for cost in costs],
            notes=", ".join(text for key, text in said.items() if reports[0]["method"].get(key)),
        )
    return rows


def _best_epoch(folder: Path) -> Path | None:
    """Of the epochs kept and the last, that with the highest mean Dice: chosen with the labels, so an oracle."""
    kept = list(folder.glob("epochs/*/summary.json"))
    files = [*kept, folder / "scores" / "summary.json"] if kept else []
    summaries = {file.parent: read_json(file)["structures"] for file in files}
    scores = {place: fmean(s["dice"]["mean"] or 0.0 for s in each.values()) for place, each in summaries.items()}
    return max(scores, key=lambda place: scores[place]) if scores else None


def _tidy(cells: Sequence[Cell]) -> Iterable[list[Any]]:
    for cell in cells:
        start = [cell.pair, cell.method, cell.kind]
        if cell.failure:
            yield [*start, "", cell.seed, "failure", cell.failure]
            continue
        for structure, measures in read_json(cell.folder / "scores" / "summary.json")["structures"].items():
            for measure, value in measures.items():
                number = value["mean"] if isinstance(value, dict) else value
                yield [*start, structure, cell.seed, measure, number]
        if cell.cost:
            yield from ([*start, "", cell.seed, name, value] for name, value in cell.cost._asdict().items())


def _markdown(pair: str, rows: Sequence[Row]) -> str:
    heads = " | ".join(NAMES.values()).format(unit=rows[0].unit)
    lines = [f"### {pair}", "", f"| {heads} |", f"|{'---|' * len(NAMES)}"]
    last = ""
    for row in rows:
        label = f"{row.method} ({row.notes})" if row.notes else row.method
        cells = _texts(row) | {"method": "" if row.method == last else label, "structure": row.structure}
        lines.append(f"| {' | '.join(cells[key] for key in NAMES)} |")
        last = row.method
    return "\n".join(lines)


def _texts(row: Row) -> dict[str, str]:
    change = worse = ""
    if row.change and row.change["difference"] is not None:
        change = f"{100 * row.change['difference']:+.1f}"
        if row.change["ci95"]:
            low, high = row.change["ci95"]
            change += f" [{100 * low:+.1f}, {100 * high:+.1f}]"
        worse = f"{100 * row.change['worse']:.0f} %"
        if skipped := max(row.change["skipped_before"], row.change["skipped_after"]):
            change += f" without {skipped} cases that are empty in truth and in a prediction"
    decisions = dict.fromkeys(row.verdicts)
    return {
        "dice": spread(row.dice, 1),
        "published": spread(row.published, 1),
        "assd": spread(row.assd, 2),
        "pooled": spread(row.pooled, 2),
        "hd95": spread(row.hd95, 1),
        "missing": f"{round(fmean(row.missing), 1):g}" if row.missing else "",
        "change": change,
        "worse": worse,
        "verdict": ", ".join(f"{name} x{list(row.verdicts).count(name)}" for name in decisions),
        "seconds": spread(row.seconds, 0, deviation=False),
        "megabytes": spread(row.megabytes, 0, deviation=False),
    }


def spread(values: Sequence[float], digits: int, *, deviation: bool = True) -> str:
    """Mean and, of several seeds, their sample standard deviation."""
    if not values:
        return ""
    mean = f"{fmean(values):.{digits}f}"
    return f"{mean} ± {stdev(values):.{digits}f}" if deviation and len(values) > 1 else mean
