"""Gather the rows of all masks of a folder into results.csv, summary.json and report.html."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import fmean, median
from typing import Any

from monai_sfda.data import find_images
from monai_sfda.data.tree import is_system_folder
from monai_sfda.failures import read_failures, reason, write_failures
from monai_sfda.files import case_of
from monai_sfda.findings import Findings
from monai_sfda.json_file import write_json
from monai_sfda.mask_file import SUFFIXES, row_of
from monai_sfda.prediction.distributions import of_volumes
from monai_sfda.prediction.formats import drop_orphans, write_formats
from monai_sfda.prediction.made_with import UNKNOWN, MadeWith, made_with
from monai_sfda.prediction.measured import measured_row
from monai_sfda.prediction.no_findings import NO_FINDINGS
from monai_sfda.prediction.overlays import write_overlays
from monai_sfda.prediction.prediction_report import write_prediction_report
from monai_sfda.tables import write_csv

__all__ = ["gather_rows", "score_table", "write_results"]


def write_results(
    folder: str | Path,
    *,
    classes: Mapping[int, str],
    images: str | Path | Sequence[Mapping[str, Any]] | None = None,
    overlays: bool = False,
    formats: Sequence[str] = (),
    findings: Findings | None = None,
    model: tuple[str, str] = ("unknown", "unknown"),
    caution: str | None = None,
) -> dict[str, Any]:
    """Gather the rows of every mask under ``folder/masks``; write ``results.csv``, ``summary.json``, ``report.html``.

    Each file is whole or not there at all. Pixels are not decoded, except of masks without a row and of the cases that
    the report shows.

    Args:
        folder: output of a prediction: ``masks``, ``failures.csv`` and perhaps ``masks_of.json``, which says how
            they were made.
        classes: id -> name, without background.
        images: the photographs or volumes, for pictures: their folder, or items with ``case``, ``image`` (path or
            paths), ``output`` and perhaps ``frame``, as where cases are pseudonyms. Without it the report has none.
        overlays: whether to draw all outlines into ``folder/overlays`` too.
        formats: in which to write the masks too, see `check_formats`.
        findings: what the organ adds, as `DescribeCased` takes it.
        model: name and version of the bundle.
        caution: what the bundle wants the report to say above all else.

    Returns:
        The summary: numbers of images (with a mask) and failures, of each status and flag, mean and spread per column.

    Raises:
        ValueError: if there are masks and none can be read; the tables are written.
    """
    folder, findings = Path(folder), NO_FINDINGS if findings is None else findings
    listed = find_images(images, exclude=[folder]) if isinstance(images, str | Path) else images or ()
    items = [{"case": case_of(item), **item} for item in listed]
    places = {item["case"]: item for item in items}
    outlined = [item for item in items if "output" in item]
    rows, damaged = gather_rows(folder / "masks", classes, outlined, findings, made_with(folder))
    drop_orphans(folder)
    measured = {row["file"] for row in rows}  # an image that is gone now may have a mask from before
    failures = [*(row for row in read_failures(folder / "failures.csv") if row["case"] not in measured), *damaged]
    write_failures(folder / "failures.csv", failures)
    results = [*rows, *({"file": row["case"], "status": "failed"} for row in failures)]
    _write_csv(folder / "results.csv", results)
    summary = _summary(rows, failures)
    if studies := findings.study_table(results, classes):
        _write_csv(folder / studies.file, studies.rows)
        summary["studies"] = studies.file
    write_json(folder / "summary.json", summary)
    about: Any = {"classes": classes, "findings": findings}
    write_prediction_report(
        folder, rows, failures, summary, images=places, studies=studies, model=model, caution=caution, **about
    )
    if overlays:
        write_overlays(folder, rows, places, **about)
    write_formats(formats, folder, rows, places, **about, model=model)
    if damaged and not rows:
        raise ValueError(
            f"Expected masks in {folder / 'masks'}, found only damaged ones; delete them, and they will be made again."
        )
    return summary


def gather_rows(
    masks: Path,
    classes: Mapping[int, str],
    items: Sequence[Mapping[str, Any]] = (),
    findings: Findings = NO_FINDINGS,
    made: MadeWith = UNKNOWN,
) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    """Rows of all masks of a folder tree, by path, and failures: masks that cannot be read.

    A mask without a row, as other software saves one that a person has corrected, is measured.

    Args:
        masks: the folder.
        classes: class id -> structure.
        items: the images, each ``case``, ``image`` (path or paths) and ``output`` (relative path of its mask). A mask
            of theirs that has another name, from when fewer files shared that name, is deleted: the image has a new
            one.
        findings: what the organ adds.
        made: how the masks were made.
    """
    paths = sorted(path for suffix in SUFFIXES for path in masks.rglob(f"*{suffix}") if _is_mask(path, masks))
    outputs, owners = ({item[key]: item for item in items} for key in ("case", "output"))
    rows, failures = [], []
    for path in paths:
        name = path.relative_to(masks).as_posix()
        owner = owners.get(name, {"case": name})
        try:
            row = row_of(path) or measured_row(path, owner, classes, findings, made)
        except (OSError, ValueError) as error:
            failures.append({"case": owner["case"], "reason": f"{reason(error, path)} Its mask is {name}."})
            continue
        current = outputs.get(row["file"], {"output": name})["output"]
        if current != name and (masks / current).is_file():
            path.unlink()
        else:
            rows.append({"file": row.pop("file"), "mask": name, **row})
    return rows, failures


def score_table(summary: Mapping[str, Any]) -> str:
    """``summary.json`` of an evaluation as lines for the screen, Dice in per cent."""
    lines = [f"{'':14}{'Dice %':>8}  {'95 % interval':>14}  {'ASSD':>7}  {'HD95':>7}  {'without':>7}  {'not found':>9}"]
    for name, scores in summary["structures"].items():
        dice, distance = scores["dice"], scores["assd_mean_of_directed"]
        interval = "{:6.1f} - {:5.1f}".format(*(100 * end for end in dice["ci95"])) if dice["ci95"] else f"{'-':>14}"
        score = "-" if dice["mean"] is None else f"{100 * dice['mean']:.1f}"
        mean, furthest = (f"{d['mean']:.2f}" if d.get("n") else "-" for d in (distance, scores.get("hd95", {})))
        distances = f"{mean:>7}  {furthest:>7}  {distance['skipped']:7d}"
        lines.append(f"{name:14}{score:>8}  {interval}  {distances}  {scores['missed']:9d}")
    unit = summary["assd_unit"]
    missing = summary.get("unreadable", 0)
    noun = summary.get("noun", "images")
    count = (
        f"{summary['cases']} of {summary['cases'] + missing} {noun} scored" if missing else f"{summary['cases']} {noun}"
    )
    lines += [f"{name}: not scored, as no mask has it" for name in summary.get("unlabelled", ())]
    lines.append(
        f"{count}; ASSD (mean of the two directed means; pooled in summary.json) and HD95 in {unit};\n"
        f"without: {noun} that have no ASSD, because the truth or the prediction is empty"
    )
    return "\n".join(lines)


def _is_mask(path: Path, masks: Path) -> bool:
    """Not a draft, nor the thumbnail that a file server made of a mask."""
    system = any(map(is_system_folder, path.relative_to(masks).parts[:-1]))
    return not path.name.startswith(".") and path.is_file() and not system


def _summary(rows: Sequence[Mapping[str, Any]], failures: Sequence[Any]) -> dict[str, Any]:
    status = Counter(row["status"] for row in rows)
    columns = {}
    for name in _columns(rows):
        values = [row[name] for row in rows if isinstance(row.get(name), int | float)]
        if values:
            columns[name] = {"n": len(values), "mean": fmean(values), "median": median(values)}
            columns[name] |= {"min": float(min(values)), "max": float(max(values))}
    return {
        "images": len(rows),
        "noun": "volumes" if of_volumes(rows) else "images",
        "failures": len(failures),
        "status": {"ok": status["ok"], "review": status["review"], "failed": len(failures)},
        "flags": dict(Counter(flag for row in rows for flag in row["flags"]).most_common()),
        "mean": {name: numbers["mean"] for name, numbers in columns.items()},
        "columns": columns,
    }


def _columns(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row)) or ["file"]


def _write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    write_csv(path, _columns(rows), ({name: _cell(value) for name, value in row.items()} for row in rows))


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return "; ".join(value)
    return value
