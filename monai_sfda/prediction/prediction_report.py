"""The report of a prediction: which cases to look at first, on one page that needs no network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from monai_sfda.files import whole_file
from monai_sfda.findings import Findings, StudyTable
from monai_sfda.prediction.distributions import histograms, of_volumes
from monai_sfda.prediction.judge import Judge
from monai_sfda.prediction.no_findings import NO_FINDINGS
from monai_sfda.prediction.overlays import thumbnail
from monai_sfda.report.page import MISSING, page_template
from monai_sfda.report.pictures import PALETTE, to_data_uri

__all__ = ["SHOWN", "first_to_look_at", "write_prediction_report"]

SHOWN = {"review": 60, "ok": 40}
"""At most so many pictures per status: about 3 MB, whatever the number of images."""

THUMBNAIL = 260
DRAWN_AT_ONCE = 2  # pictures are decoded without the interpreter lock; each may take as much memory as a photograph
LISTED = 200
"""Failures, and studies."""


def write_prediction_report(
    folder: Path,
    rows: Sequence[Mapping[str, Any]],
    failures: Sequence[Mapping[str, str]],
    summary: Mapping[str, Any],
    *,
    images: Mapping[str, Mapping[str, Any]],
    classes: Mapping[int, str],
    findings: Findings = NO_FINDINGS,
    studies: StudyTable | None = None,
    model: tuple[str, str],
    caution: str | None = None,
) -> None:
    """Write ``folder/report.html``, whole or not at all. It names no absolute path.

    Args:
        folder: output of a prediction, with its ``masks``.
        rows: of the images, with ``file``, ``mask``, ``status``, ``flags`` and numbers.
        failures: ``case`` and ``reason`` of images without a mask.
        summary: of `monai_sfda.prediction.gather.write_results`.
        images: file -> its item, with the path or paths of the ``image``; a case that is not in it, or cannot be read,
            is shown without a picture.
        classes: id -> name.
        findings: what the organ adds.
        studies: what images of one study say together.
        model: name and version of the bundle.
        caution: what the bundle wants the page to say above all else.
    """
    volumes = of_volumes(rows)
    meanings = Judge(classes, findings, volumes=volumes).meanings
    ordered, groups = first_to_look_at(rows, classes, meanings), {}
    for status, most in SHOWN.items():
        mine = [row for row in ordered if row["status"] == status]
        # The worst of the review cases; of the others a sample, spread evenly from the least to the most certain.
        chosen = mine[:most] if status == "review" else _spread(mine, most)
        with ThreadPoolExecutor(DRAWN_AT_ONCE) as pool:
            cases = list(pool.map(lambda row: _case(row, folder, images, classes, findings), chosen))
        groups[status] = {"total": len(mine), "cases": cases}
    page = page_template(Path(__file__).with_name("prediction_report.html"), show=_show).render(
        groups=groups,
        summary=summary,
        failures=failures[:LISTED],
        unlisted=len(failures) - LISTED,
        studies=studies,
        listed=LISTED,
        flags=[(name, count, meanings.get(name, "")) for name, count in summary["flags"].items()],
        charts=histograms(rows, classes, findings),
        legend=[(name, PALETTE[number % len(PALETTE)]) for number, name in enumerate(classes.values())],
        organ=bool(findings.panels),
        volumes=volumes,
        noun="volume" if volumes else "image",
        model=model,
        caution=caution,
    )
    with whole_file(folder / "report.html") as draft:
        draft.write_text(page, encoding="utf-8", errors="backslashreplace")


def first_to_look_at(
    rows: Sequence[Mapping[str, Any]], classes: Mapping[int, str], flags: Iterable[str]
) -> list[Mapping[str, Any]]:
    """Rows in the order in which to look at them: most alarming flag first, then most flags, then least confidence.

    ``flags`` are those that an image may get, the most alarming first.
    """
    ranks = {name: rank for rank, name in enumerate(flags)}

    def alarm(row: Mapping[str, Any]) -> tuple[int, int, float, str]:
        worst = min((ranks.get(name, len(ranks)) for name in row["flags"]), default=len(ranks))
        least = min(_confidences(row, classes).values(), default=0.0)
        return worst, -len(row["flags"]), least, str(row["file"])

    return sorted(rows, key=alarm)


def _spread(rows: Sequence[Mapping[str, Any]], most: int) -> list[Mapping[str, Any]]:
    count = min(len(rows), most)
    return [rows[number * len(rows) // count] for number in range(count)]


def _case(
    row: Mapping[str, Any],
    folder: Path,
    images: Mapping[str, Mapping[str, Any]],
    classes: Mapping[int, str],
    findings: Findings,
) -> dict[str, Any]:
    picture = None
    if row["file"] in images:
        picture = thumbnail(images[row["file"]], folder / "masks" / row["mask"], classes, findings, size=THUMBNAIL)
    shown = {} if picture is None else {"uri": to_data_uri(picture), "size": (picture.shape[1], picture.shape[0])}
    flags = {name.replace("_", " "): reason for name, reason in row["flags"].items()}
    facts = findings.facts(row) or sizes(row, classes)
    known = _confidences(row, classes)
    least = min(known, key=known.__getitem__, default="")
    facts[f"confidence, {least}" if least else "confidence"] = known.get(least)
    return {"file": row["file"], "flags": flags, "facts": facts, **shown}


def sizes(row: Mapping[str, Any], classes: Mapping[int, str]) -> dict[str, Any]:
    """Area of each structure in pixels; of a volume, ml or voxels, and in how many slices."""
    facts: dict[str, Any] = {}
    for name in classes.values():
        column = name.replace(" ", "_")
        if not of_volumes([row]):
            facts[f"{name} pixels"] = row.get(f"{column}_pixels")
            continue
        unit = "voxels" if row.get(f"{column}_ml") is None else "ml"
        facts[f"{name} {unit}"] = row.get(f"{column}_{unit}")
        facts[f"{name} slices"] = f"{row.get(f'{column}_slices')} of {row.get('slices')}"
    return facts


def _confidences(row: Mapping[str, Any], classes: Mapping[int, str]) -> dict[str, float]:
    """Of each structure, where it is known."""
    values = {name: row.get(f"{name.replace(' ', '_')}_confidence") for name in classes.values()}
    return {name: value for name, value in values.items() if value is not None}


def _show(value: Any) -> str:
    if value is None:
        return MISSING
    if isinstance(value, str):
        return value
    return f"{value:.2f}" if isinstance(value, float) else f"{value:,}"
