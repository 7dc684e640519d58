"""Compute the missing cells of a benchmark one by one, and report the results."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from monai.bundle import ConfigParser
from tqdm import tqdm

from monai_sfda.benchmark.job import Cost, JobFailed, carry_out
from monai_sfda.benchmark.matrix import Matrix, Method, Pair, file_name
from monai_sfda.benchmark.source import source_denoiser, source_network, source_ratios, supervised_network
from monai_sfda.passport import source_cutoffs
from monai_sfda.recipe_list import uses_source

__all__ = ["Cell", "finished_cells", "run_matrix"]

SCORING = ("inference.json", "evaluate.json")
PUBLISHED = {"sigmoid": 0.75, "softmax": 0.5}
"""How the papers cut masks: those on fundus above 0.75, with a softmax by the most likely class."""
FAILURES = (JobFailed, OSError, ValueError)
"""What costs a cell, and no other."""
KEEP_EPOCHS = str(Path(__file__).with_name("keep_epochs.json"))


class Cell(NamedTuple):
    """One method on one pair with one seed, and where its scores are."""

    pair: str
    method: str
    kind: str
    """``source``, ``method`` or ``bound``."""
    seed: int | None
    folder: Path
    """Holds ``scores/`` (cases.csv and summary.json), ``scores_published/`` (at the papers' cut-off) and ``epochs/N/``
    likewise, and ``run/report.json``."""
    cost: Cost | None = None
    """Of the adaptation."""
    failure: str = ""


def run_matrix(matrix: Matrix, output: Path) -> Iterator[Cell]:
    """Compute every cell that is not there yet, and yield all; one that fails does not stop the others.

    Of a pair whose source network cannot be trained or scored, only that cell is yielded, with the reason.

    Every network of a pair is scored at the same image size and cut-offs: those of its ``evaluate``, else of its
    ``adapt``, else of its bundle, which are those fitted to the source network. A network is scored at the cut-off of
    the papers, too.

    Args:
        matrix: what to compare.
        output: folder for everything that is made; cells that it holds are not computed again.
    """
    total = len(matrix.pairs) * (1 + matrix.bound + len(matrix.methods) * len(matrix.seeds))
    with tqdm(total=total, unit="cell", desc="benchmark") as bar:
        for pair in matrix.pairs:
            for cell in _pair_cells(pair, matrix, output / file_name(pair.name), bar.set_postfix_str):
                yield cell
                bar.update()


def finished_cells(matrix: Matrix, output: Path) -> list[Cell]:
    """The source network and the methods of all pairs, as far as they are scored in ``output``; computes nothing."""
    cells = []
    for pair in matrix.pairs:
        folder = output / file_name(pair.name)
        cells.append(_source_cell(pair, folder))
        cells += [_method_cell(pair, method, seed, folder) for method in matrix.methods for seed in matrix.seeds]
    return [cell for cell in cells if (cell.folder / "scores" / "summary.json").exists()]


def _source_cell(pair: Pair, folder: Path) -> Cell:
    return Cell(pair.name, "source only", "source", None, folder / "source_only")


def _method_cell(pair: Pair, method: Method, seed: int, folder: Path) -> Cell:
    return Cell(pair.name, method.name, "method", seed, folder / f"{file_name(method.name)}_{seed}")


def _pair_cells(pair: Pair, matrix: Matrix, folder: Path, say: Callable[[str], None]) -> Iterator[Cell]:
    say(f"{pair.name}, source network")
    source = _source_cell(pair, folder)
    try:
        checkpoint = source_network(pair, folder)
        protocol = _protocol(pair, checkpoint)
        source = _scored(source, pair, checkpoint, protocol)
    except FAILURES as error:
        source = source._replace(failure=str(error))
    yield source
    if source.failure:
        return
    for method in matrix.methods:
        for seed in matrix.seeds:
            say(f"{pair.name}, {method.name}, seed {seed}")
            yield _cell(pair, method, seed, checkpoint, folder, protocol=protocol, oracle=matrix.oracle)
    if matrix.bound:
        say(f"{pair.name}, trained on the target's labels")
        yield _bound(pair, folder, protocol)


def _cell(
    pair: Pair, method: Method, seed: int, checkpoint: Path, folder: Path, *, protocol: Mapping[str, Any], oracle: bool
) -> Cell:
    """Adapt to the images of the target, then score on its labels."""
    cell = _method_cell(pair, method, seed, folder)
    configs = ["adapt.json", *(f"methods/{name}.json" for name in method.configs)]
    absent = [name for name in configs if not (pair.bundle / "configs" / name).is_file()]
    if absent:
        return cell._replace(failure=f"this bundle has no {absent[0]}")
    places = {"dataset_dir": pair.target / "image", "output_dir": cell.folder / "run", "checkpoint": checkpoint}
    if uses_source(pair.bundle, method.configs[0]):
        if pair.source is None:
            return cell._replace(failure="it learns from labelled source images too; give the source of this pair")
        configs[0], places = "adapt_with_source.json", {**places, "source_dir": pair.source}
    try:
        values = {**_needed(pair, configs, folder), **pair.adapt, **method.settings, "seed": seed, **places}
        configs += [KEEP_EPOCHS] * oracle
        cell = cell._replace(cost=carry_out(cell.folder / "run", pair.bundle, [(configs, values)]))
        adapted = cell.folder / "run" / "bundle"
        cell = _scored(cell, pair, adapted / "models" / "model.pt", protocol, bundle=adapted)
        return _epochs_scored(cell, pair, adapted, protocol) if oracle and not cell.failure else cell
    except FAILURES as error:
        return cell._replace(failure=str(error))


def _needed(pair: Pair, configs: list[str], folder: Path) -> dict[str, Any]:
    """What the recipe takes from the source beside the network: numbers and label maps, never images."""
    parser = ConfigParser()
    parser.read_config([str(pair.bundle / "configs" / name) for name in configs])
    makers = {"source_ratios": source_ratios, "denoiser_checkpoint": source_denoiser}
    used = [name for name in makers if name in parser or name in parser["method"].get("parts", {})]
    made = {name: makers[name](pair, folder) for name in used}
    return {name: place for name, place in made.items() if place}


def _scored(
    cell: Cell, pair: Pair, checkpoint: Path, protocol: Mapping[str, Any], *, bundle: Path | None = None
) -> Cell:
    ours = {"output_dir": cell.folder / "scores", "checkpoint": checkpoint}
    networks: list[dict[str, Any]] = [ours]
    if "cutoff" in protocol:
        published = PUBLISHED[protocol.get("head", "sigmoid")]
        networks.append({**ours, "output_dir": cell.folder / "scores_published", "cutoff": published})
    try:
        _score(cell.folder / "scores", pair, protocol, networks, bundle or pair.bundle)
    except FAILURES as error:
        return cell._replace(failure=str(error))
    return cell


def _epochs_scored(cell: Cell, pair: Pair, adapted: Path, protocol: Mapping[str, Any]) -> Cell:
    kept = sorted((cell.folder / "run" / "epochs").glob("*.pt"))
    epochs = [{"output_dir": cell.folder / "epochs" / path.stem, "checkpoint": path} for path in kept]
    _score(cell.folder / "epochs", pair, protocol, epochs, adapted)
    return cell


def _score(
    record: Path, pair: Pair, protocol: Mapping[str, Any], networks: Sequence[Mapping[str, Any]], bundle: Path
) -> None:
    shared = {**pair.evaluate, **protocol, "dataset_dir": pair.target}
    carry_out(record, bundle, [(SCORING, {**shared, **network}) for network in networks])


def _protocol(pair: Pair, checkpoint: Path) -> dict[str, Any]:
    """An adapted bundle keeps the size and the cut-off of its recipe, which must not count as a change of Dice."""
    parser = ConfigParser()
    parser.read_config([str(pair.bundle / "configs" / name) for name in SCORING])
    given = {**pair.adapt, **pair.evaluate}
    values = {name: given.get(name, parser[name]) for name in ("image_size", "cutoff", "head") if name in parser}
    if isinstance(values.get("cutoff"), str):  # an expression: what was fitted to the source network
        values["cutoff"] = source_cutoffs(checkpoint, parser["structures"])
    return values


def _bound(pair: Pair, folder: Path, protocol: Mapping[str, Any]) -> Cell:
    cell = Cell(pair.name, "trained on these labels (bound)", "bound", None, folder / "bound")
    try:
        return _scored(cell, pair, supervised_network(pair, folder), protocol)
    except FAILURES as error:
        return cell._replace(failure=str(error))
