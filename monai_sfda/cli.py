"""The console command: each verb composes the bundle's own configs, as ``python -m monai.bundle run`` would.

PyTorch and MONAI take seconds to import, so each verb imports them only after it has checked what needs neither.
"""

from __future__ import annotations

import json
import os
import sys
from ast import literal_eval
from collections.abc import Callable, Sequence
from inspect import Parameter, signature
from pathlib import Path
from statistics import fmean
from typing import Any

import fire

from monai_sfda import __version__
from monai_sfda.console import one_sentence
from monai_sfda.overrides import as_expression, read_json
from monai_sfda.places import existing_folder, lock_folder, refuse_inside
from monai_sfda.typed import as_typed, expanded, positional, switches, with_switches
from monai_sfda.workflow import check_configs, run_configs

__all__ = ["adapt", "benchmark", "evaluate", "main", "methods", "predict"]

PLACES = ("bundle_root", "failures_file", "output_dir", "results_dir", "skip_done")
"""Values of the configs that follow from the arguments of a command."""


def adapt(bundle: str, images: str, *, output: str, method: str | None = None, **overrides: Any) -> None:
    """Adapt BUNDLE to the unlabelled images of a folder.

    Writes OUTPUT/bundle (the adapted bundle), report.html, report.json, history.csv and checkpoints. The same command
    continues a run that was stopped.

    Args:
        bundle: folder of a MONAI bundle with configs/adapt.json.
        images: folder with images, searched to any depth.
        output: folder to write.
        method: a recipe of the bundle, see `monai-sfda methods`; the bundle's default if left out.
        overrides: any value of the config, for example --epochs 10 --learning_rate 0.0001 --precision float32.
    """
    bundle, images, output, overrides = expanded((bundle, images, output, overrides))
    root, folder = _bundle(bundle), _writable(output, outside=images)
    method = _method(root, method)
    if (folder / "bundle").resolve() == root.resolve():
        raise ValueError(f"Expected an output other than the bundle's own, found {output}; choose another --output.")
    report = folder / "report.json"
    if not report.exists():
        existing_folder(images)
    configs = ["adapt.json", f"methods/{method}.json"]
    places = _with_places(overrides, dataset_dir=images, output_dir=folder)
    weights = overrides.get("checkpoint", root / "models" / "model.pt")
    with lock_folder(folder):
        check_configs(root, configs, **places)
        from monai_sfda.delivery.delivery import define_network
        from monai_sfda.delivery.verdict import WORDS, read_verdict
        from monai_sfda.same_run import refuse_other_adaptation

        refuse_other_adaptation(folder, images=images, weights=weights, given={"method": method, **overrides})
        if report.exists():
            print(f"{output} already holds a finished adaptation; choose another --output for a new one.")
        else:
            for path in (root / "configs").glob("*.json"):  # all of them become part of the adapted bundle
                read_json(path)
            run_configs(root, configs, **places)
        define_network(folder / "bundle", overrides)
    verdict = read_verdict(read_json(report))
    print(f"\nVerdict  {WORDS[verdict['decision']]}: {verdict['sentence']}")
    print(f"Report   {folder / 'report.html'}")
    print(f"Bundle   {folder / 'bundle'}")


def predict(
    bundle: str, images: str, *, output: str, overlays: bool = False, formats: Any = (), **overrides: Any
) -> None:
    """Segment every image of a folder, and say which to look at first.

    Writes OUTPUT/masks (PNG label maps in the tree of the images), results.csv (one row per image), report.html,
    summary.json and failures.csv. Images that have a mask are skipped, so the same command continues a run that was
    stopped.

    Args:
        bundle: folder of a MONAI bundle.
        images: folder with images, searched to any depth.
        output: folder to write.
        overlays: also draw the outlines on every image, into OUTPUT/overlays.
        formats: also write the label maps as nifti, into OUTPUT/nifti, or as DICOM Segmentation of images that are
            DICOM, into OUTPUT/dicom_seg: nifti, dicom_seg or nifti,dicom_seg.
        overrides: any value of the config, for example --batch_size 4. --pseudonym_salt TEXT names all outputs by
            keyed hashes of the images' names; --pseudonym_table FILE records which is which.
    """
    bundle, images, output, overrides = expanded((bundle, images, output, overrides))
    root, _, folder = _bundle(bundle), existing_folder(images), _writable(output, outside=images)
    configs, chosen = ["inference.json", "predict.json"], {"overlays": overlays, "formats": formats}
    with lock_folder(folder):
        if table := overrides.get("pseudonym_table"):
            _refuse_shared(str(table), images, folder)
        secret = ("pseudonym_salt", "pseudonym_table")  # text, whatever it looks like
        if nameless := [key for key in secret if overrides.get(key) is True]:
            raise ValueError(f"Expected text after --{nameless[0]}, found none; give it, or leave the option out.")
        hidden = {key: as_expression(str(overrides.pop(key))) for key in secret if key in overrides}
        places = _with_places(overrides, dataset_dir=images, results_dir=folder)
        check_configs(root, configs, **chosen, **places, **hidden)
        from monai_sfda.failures import clear_drafts

        clear_drafts(folder)
        workflow = run_configs(root, configs, **chosen, **places, **hidden)
    summary = read_json(folder / "summary.json")
    print(f"\nMasks    {folder / 'masks'} ({summary['images']} images, {summary['status']['review']} to look at first)")
    print(f"Report   {folder / 'report.html'}")
    print(f"Table    {folder / 'results.csv'}")
    for name in workflow.parser.get_parsed_content("known_formats"):
        _say_format(folder, name, summary["images"])
    _say_failures(folder / "failures.csv")


def evaluate(bundle: str, dataset: str, *, output: str, **overrides: Any) -> None:
    """Score BUNDLE on labelled images: DATASET/image/NAME.png and DATASET/mask/NAME.png.

    Writes OUTPUT/cases.csv and summary.json: Dice and average symmetric surface distance per case and structure.

    Args:
        bundle: folder of a MONAI bundle.
        dataset: labelled folder.
        output: folder to write.
        overrides: any value of the config.
    """
    bundle, dataset, output, overrides = expanded((bundle, dataset, output, overrides))
    root, _, folder = _bundle(bundle), existing_folder(dataset), _writable(output)
    places = _with_places(overrides, dataset_dir=dataset, output_dir=folder)
    run_configs(root, ["inference.json", "evaluate.json"], **places)
    from monai_sfda.prediction.gather import score_table

    print(f"\n{score_table(json.loads((folder / 'summary.json').read_text()))}")
    print(f"\nCases    {folder / 'cases.csv'}")
    print(f"Summary  {folder / 'summary.json'}")
    _say_failures(folder / "failures.csv")


def methods(bundle: str = "bundles/fundus_disc_cup", *, results: str | None = None) -> None:
    """List the adaptation methods of a bundle.

    Args:
        bundle: folder of a MONAI bundle.
        results: output folder of `monai-sfda benchmark`; its figures are then listed too.
    """
    bundle, results = expanded((bundle, results))
    root = _bundle(bundle)
    measured = _measured(Path(results) / "results.json") if results else []
    names = _recipes(root)
    default_name = read_json(root / "configs" / "adapt.json")["method"]["name"]
    width = max(map(len, names), default=0)
    from monai.bundle import ConfigParser

    for name in names:
        parser = ConfigParser()
        files = [root / "configs" / "adapt.json", root / "configs" / "methods" / f"{name}.json"]
        for file in files:
            read_json(file)
        parser.read_config([str(file) for file in files])
        method = parser.get("method")
        rebuilt = "reconstruction" in method and parser.get_parsed_content("method::reconstruction")
        default = " (the default)" if method["name"] == default_name else ""
        lines = [
            method["summary"] + default,
            method["citation"] + ("; here a reconstruction" if rebuilt else ""),
        ]
        for row in measured:
            if row["method"] == name and row["change"] and row["change"]["difference"] is not None:
                change, dice = 100 * row["change"]["difference"], fmean(row["dice"])
                lines.append(f"{row['pair']}, {row['structure']}: Dice {dice:.1f} %, {change:+.1f} against the source")
        print(f"\n{'':{width + 1}}".join([f"{name:{width}} {lines[0]}", *lines[1:]]))


def benchmark(matrix: str | Sequence[str], *, output: str, replay: bool = False) -> None:
    """Compare methods x pairs x seeds, each cell once; the same command continues a run that was stopped.

    Writes OUTPUT/table.md, results.csv and results.json after each cell, and results.png at the end.

    Args:
        matrix: JSON file with pairs, methods and seeds, or several in brackets that are laid over each other, such as
            "['pairs.json','scripts/benchmarks/methods.json']".
        output: folder to write.
        replay: compute nothing, but write replay.md, replay.json and replay.png: what choosing with a handful of
            outlines would have decided on the cells that are finished in OUTPUT.
    """
    folder = _writable(expanded(output))
    files = expanded(_listed(matrix) if isinstance(matrix, str) and matrix.startswith("[") else matrix)
    from monai_sfda.benchmark import (
        finished_cells,
        read_matrix,
        rows_of,
        run_matrix,
        write_plot,
        write_replay,
        write_table,
    )

    plan = read_matrix([files] if isinstance(files, str) else files)
    if replay:
        text = write_replay(finished_cells(plan, folder), folder)
        print(f"\n{text}\nReplay   {folder / 'replay.md'}\nPlot     {folder / 'replay.png'}")
        return
    cells = []
    with lock_folder(folder):
        for cell in run_matrix(plan, folder):
            cells.append(cell)
            table = write_table(cells, folder)
        write_plot(rows_of(cells), folder / "results.png")
    print(f"\n{table}\nTable    {folder / 'table.md'}\nPlot     {folder / 'results.png'}")
    tried = [cell for cell in cells if cell.kind == "method"]
    if tried and all(cell.failure for cell in tried):
        raise ValueError(f"Expected a method to succeed, found that all failed ({tried[0].failure}); see the table.")


def main() -> None:
    """Entry point of ``monai-sfda``."""
    with one_sentence():
        commands = {command.__name__: command for command in (adapt, predict, evaluate, methods, benchmark)}
        words = sys.argv[1:]
        if words == ["--version"]:
            print(__version__)
            return
        if {"-h", "--help"} & set(words):
            words = [word for word in words[:1] if word in commands] + ["--", "--help"]
        elif words and words[0] in commands:
            words = with_switches(words, switches(commands[words[0]], words))
            _refuse_surplus(words[1:], commands[words[0]])
        fire.Fire(commands, command=as_typed(words), name="monai-sfda")


def _refuse_surplus(words: Sequence[str], command: Callable[..., None]) -> None:
    """Before any work is done: Fire calls the command first and complains afterwards."""
    kinds = [parameter.kind for parameter in signature(command).parameters.values()]
    expected = kinds.count(Parameter.POSITIONAL_OR_KEYWORD)
    surplus = positional(words)[expected:]
    if surplus:
        raise ValueError(
            f"Expected {expected} name(s) after {command.__name__}, found also {surplus[0]!r}; put a name with spaces "
            "in quotes."
        )


def _with_places(overrides: dict[str, Any], **places: str | Path) -> dict[str, Any]:
    """Overrides, and where the command reads and writes."""
    twice = sorted(set(overrides) & {*PLACES, *places})
    if twice:
        raise ValueError(f"Expected places as arguments and --output, found --{twice[0]}; leave it out, see --help.")
    empty = sorted(key for key in ("device", "views") if key in overrides and overrides[key] is None)
    if empty:
        raise ValueError(f"Expected a value for --{empty[0]}, found None; leave it out to use the bundle's own.")
    named = {key: value for key, value in overrides.items() if value and isinstance(value, str)}
    files = {key: Path(value) for key, value in named.items() if os.path.exists(value)}
    return {**overrides, **files, **{key: as_expression(value) for key, value in places.items()}}


def _listed(matrix: str) -> list[str]:
    try:
        return [str(file) for file in literal_eval(matrix)]
    except (ValueError, SyntaxError, TypeError):
        raise ValueError(f"Expected files such as \"['pairs.json','methods.json']\", found {matrix}.") from None


def _bundle(bundle: str) -> Path:
    root = Path(str(bundle))
    if not (root / "configs" / "inference.json").is_file():
        raise FileNotFoundError(
            f"Expected a MONAI bundle (a folder with configs/inference.json) at {bundle}, found none; "
            "give the folder of a bundle such as bundles/fundus_disc_cup."
        )
    return root


def _measured(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        raise FileNotFoundError(
            f"Expected the output of monai-sfda benchmark at {path.parent}, found no {path.name}; give its --output."
        )
    try:
        return json.loads(path.read_text())
    except ValueError as error:
        raise ValueError(f"Expected results of a benchmark in {path}, found a damaged file ({error}).") from None


def _recipes(root: Path) -> list[str]:
    return sorted(path.stem for path in (root / "configs" / "methods").glob("*.json"))


def _method(root: Path, name: str | None) -> str:
    known = _recipes(root)
    name = read_json(root / "configs" / "adapt.json")["method"]["name"] if name is None else name
    if name not in known:
        raise ValueError(f"Expected --method to be one of {', '.join(known) or 'none in this bundle'}, found {name}.")
    return name


def _writable(output: str | bool, *, outside: object = None) -> Path:
    if not output or output is True:  # Fire gives True to an option without a value
        raise FileNotFoundError("Expected a folder to write to, found no name; give --output FOLDER.")
    folder = Path(str(output))
    if outside:
        refuse_inside(str(outside), folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PermissionError(f"Expected an output folder at {output}, could not make it ({error.strerror}).") from None
    if not os.access(folder, os.W_OK):
        raise PermissionError(
            f"Expected a folder to write to at {output}, found it read-only; choose another --output."
        )
    return folder


def _refuse_shared(table: str, images: str, folder: Path) -> None:
    place = Path(table).resolve()
    for name, other in (("IMAGES", images), ("OUTPUT", folder)):
        if place.is_relative_to(Path(str(other)).resolve()):
            raise ValueError(
                f"Expected --pseudonym_table outside of {name}, found {table}: whoever is given that folder could read "
                "the names; choose another place."
            )


def _say_format(folder: Path, name: str, images: int) -> None:
    from monai_sfda.failures import count_failures

    table = folder / f"{name}_failures.csv"
    count = count_failures(table)
    others = f"; {count} images have none, see {table}" if count else ""
    print(f"Also     {folder / name} ({images - count} files{others})")


def _say_failures(path: Path) -> None:
    from monai_sfda.failures import count_failures

    if count := count_failures(path):
        print(f"Failed   {count} image(s), see {path}")
