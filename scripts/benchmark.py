"""Compare adaptation methods on real pairs: ``python3 scripts/benchmark.py MATRIX.json --output DIR``.

MATRIX.json names pairs (bundle, labelled source folder, labelled target folder), methods and seeds::

    {"pairs": {"nuclei": {"bundle": "bundles/nuclei_fluorescence", "source": "SRC", "target": "TGT",
                          "train": {"epochs": 60}, "adapt": {}}},
     "methods": ["cbmt"], "seeds": [0, 1, 2]}

For each pair one source network is trained (or taken from ``"checkpoint"``) without looking at the target. Adaptation
sees the target's images and never its masks; the last epoch is scored on the same images, as a clinic would use it.
Finished cells are not computed again. Writes ``table.md`` and ``results.json``.
"""

import environment

environment.enter("dev")

import argparse  # noqa: E402
import csv  # noqa: E402
import json  # noqa: E402
import shutil  # noqa: E402
from pathlib import Path  # noqa: E402
from statistics import fmean, stdev  # noqa: E402
from typing import Any  # noqa: E402

from monai_sfda import cli  # noqa: E402
from monai_sfda.console import one_sentence, quiet  # noqa: E402
from monai_sfda.metrics import paired_bootstrap  # noqa: E402

MEASURES = {"dice": ("Dice %", 100), "assd_mean_of_directed": ("ASSD px", 1)}


def path(text: str) -> str:
    """Bundles are relative to the repository, data to the working directory."""
    inside = environment.ROOT / text
    return str(inside if inside.exists() else Path(text))


def source_checkpoint(pair: dict[str, Any], folder: Path) -> Path:
    """Train the pair's source network once."""
    checkpoint = Path(pair.get("checkpoint", folder / "source" / "model.pt"))
    if not checkpoint.exists():
        draft = folder / "source.part"
        root = Path(path(pair["bundle"]))
        settings = pair.get("train", {})
        with quiet():
            cli.run_configs(root, ["train.json"], dataset_dir=pair["source"], ckpt_dir=draft, **settings)
        shutil.move(draft, checkpoint.parent)
    return checkpoint


def scored(bundle: str, pair: dict[str, Any], folder: Path, **settings: Any) -> Path:
    if not (folder / "summary.json").exists():
        cli.evaluate(bundle, pair["target"], output=str(folder), **settings)
    return folder


def cell(pair: dict[str, Any], checkpoint: Path, method: str, seed: int, folder: Path) -> Path:
    """Adapt and score once; a finished cell is left alone."""
    if not (folder / "scores" / "summary.json").exists():
        images = str(Path(pair["target"]) / "image")
        settings = {"checkpoint": str(checkpoint), "seed": seed, **pair.get("adapt", {})}
        cli.adapt(path(pair["bundle"]), images, output=str(folder / "run"), method=method, **settings)
    return scored(str(folder / "run" / "bundle"), pair, folder / "scores", **pair.get("evaluate", {}))


def cases(folder: Path, structure: str, measure: str) -> list[float]:
    with (folder / "cases.csv").open() as file:
        return [float(row[f"{structure}_{measure}"] or "nan") for row in csv.DictReader(file)]


def spread(values: list[float], digits: int) -> str:
    return f"{fmean(values):.{digits}f} ± {stdev(values):.{digits}f}" if len(values) > 1 else f"{values[0]:.{digits}f}"


def row(name: str, folders: list[Path], source: Path) -> dict[str, Any]:
    """Mean over seeds of the mean over cases, and the change against source-only on the same cases."""
    summaries = [json.loads((folder / "summary.json").read_text()) for folder in folders]
    entry: dict[str, Any] = {"method": name}
    for structure in summaries[0]["structures"]:
        for measure, (label, factor) in MEASURES.items():
            means = [factor * s["structures"][structure][measure]["mean"] for s in summaries]
            entry[f"{structure} {label}"] = spread(means, 2)
        entry[f"{structure} empty"] = sum(s["structures"][structure]["empty_pred"] for s in summaries)
        if folders != [source]:
            per_seed = [cases(folder, structure, "dice") for folder in folders]
            mean = [fmean(values) for values in zip(*per_seed, strict=True)]
            change = paired_bootstrap(cases(source, structure, "dice"), mean)
            low, high = change["ci95"]
            entry[f"{structure} change"] = f"{100 * change['difference']:+.2f} [{100 * low:+.2f}, {100 * high:+.2f}]"
            entry[f"{structure} worse %"] = round(100 * change["worse"])
    return entry


def markdown(title: str, rows: list[dict[str, Any]]) -> str:
    columns = list(dict.fromkeys(key for row in rows for key in row))
    lines = [f"### {title}", "", f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    lines += [f"| {' | '.join(str(row.get(column, '')) for column in columns)} |" for row in rows]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("matrix", type=Path)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    matrix = json.loads(options.matrix.read_text())
    tables, results = [], {}
    for name, pair in matrix["pairs"].items():
        folder = options.output / name
        checkpoint = source_checkpoint(pair, folder)
        bundle = path(pair["bundle"])
        source = scored(bundle, pair, folder / "source_only", checkpoint=str(checkpoint), **pair.get("evaluate", {}))
        rows = [row("source only", [source], source)]
        for method in matrix["methods"]:
            seeds = [cell(pair, checkpoint, method, seed, folder / f"{method}_{seed}") for seed in matrix["seeds"]]
            rows.append(row(method, seeds, source))
        results[name] = rows
        tables.append(markdown(name, rows))
        (options.output / "results.json").write_text(json.dumps(results, indent=2) + "\n")
        (options.output / "table.md").write_text("\n\n".join(tables) + "\n")
    print("\n\n".join(tables))


if __name__ == "__main__":
    with one_sentence():
        main()
