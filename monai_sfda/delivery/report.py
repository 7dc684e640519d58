"""The adaptation report: report.json for programs, report.html for the people who decide."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Undefined

from monai_sfda.delivery.verdict import WORDS
from monai_sfda.files import whole_file
from monai_sfda.json_file import write_json
from monai_sfda.report.curves import history_curves
from monai_sfda.report.page import MISSING, page_template
from monai_sfda.report.pictures import PALETTE, CasePicture, before_after, to_data_uri

__all__ = ["write_report"]

ABSOLUTE_PATH = re.compile(r"""(?<![^\s'"=(])(?:/|[A-Za-z]:[\\/])(?:[^\s'"]*[\\/])?([^\s'"\\/]+)[\\/]?""")


def write_report(
    output_dir: str | Path,
    report: Mapping[str, Any],
    *,
    history: Sequence[Mapping[str, Any]],
    pictures: Sequence[CasePicture],
) -> Path:
    """Write ``report.json`` and ``report.html`` (one file that needs no network and names no absolute path).

    Args:
        output_dir: folder of the run, made if missing.
        report: what was done and found. Every key is optional; the page leaves out what is not there.

            - ``title``: text; ``caution``: what the bundle wants the page to say above all else.
            - ``verdict``: ``decision`` ("keep-source" or "outline"), ``sentence``, and ``checks``, see `judge`.
            - ``method``: ``name``, ``citation``, ``reconstruction`` (bool: rebuilt without the authors' code),
              ``uses_target_tags`` (bool: image-level labels of the target went in), ``uses_source`` (bool: labelled
              source images did).
            - ``data``: ``images`` (int), ``sampled`` (parts of volumes, in words), ``skipped``: list of ``case``,
              ``reason``.
            - ``epochs_done``: int; the page says so where ``settings`` have more ``epochs``.
            - ``structures``: names in channel order; by default the keys of ``change``.
            - ``change``: structure -> numbers, see `summarise_change`.
            - ``source_masks``: ``shares``, ``data`` and ``images``, see `source_masks`.
            - ``settings``, ``software``, ``weights``: flat; ``time``: ``seconds``, ``images_per_second``.
            - ``next_steps``: list of commands.
        history: one row per epoch, see `history_curves`.
        pictures: cases to show; the page puts those first whose masks changed most.

    Returns:
        Path of report.html.
    """
    folder = Path(output_dir)
    folder.mkdir(parents=True, exist_ok=True)
    plain = _plain(report)
    structures = plain.get("structures") or list(plain.get("change") or {})
    page = _render(
        report=_without_paths(plain, folder),
        cases=_cases(pictures, structures, folder),
        legend=[(name, PALETTE[number % len(PALETTE)]) for number, name in enumerate(structures)],
        curves=history_curves(history, structures),
    )
    with whole_file(folder / "report.html") as draft:
        draft.write_text(page, encoding="utf-8")
    # Last, because this file marks the run as finished.
    write_json(folder / "report.json", plain, sort_keys=True, allow_nan=False)
    return folder / "report.html"


def _cases(pictures: Sequence[CasePicture], structures: Sequence[str], folder: Path) -> list[dict[str, Any]]:
    """What the page shows of each case, least agreement first."""
    cases = []
    for picture in pictures:
        channels = list(zip(picture.before, picture.after, strict=True))
        names = [*structures, *(f"structure {number + 1}" for number in range(len(structures), len(channels)))]
        rows = [
            {"name": name, "dice": _dice(before, after), "before": float(before.mean()), "after": float(after.mean())}
            for name, (before, after) in zip(names, channels, strict=False)
        ]
        strip = before_after(picture.image, picture.before, picture.after)
        shown = {"uri": to_data_uri(strip), "height": strip.shape[0], "width": strip.shape[1]}
        text = _without_paths({"case": picture.case, "note": picture.note}, folder)
        cases.append({**text, **shown, "rows": rows})
    return sorted(cases, key=lambda case: np.mean([row["dice"] for row in case["rows"]]))


def _dice(first: np.ndarray, second: np.ndarray) -> float:
    """Overlap of two masks in [0, 1]; two empty masks agree, since nothing changed."""
    total = int(first.sum()) + int(second.sum())
    return 2 * int((first & second).sum()) / total if total else 1.0


def _plain(value: Any) -> Any:
    """The same content in JSON's own types; numbers that are not finite become null, since JSON has none."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def _without_paths(value: Any, folder: Path) -> Any:
    """Reports are passed on, so the run's folder becomes its name, and any other absolute path its last part."""
    if isinstance(value, dict):
        return {key: _without_paths(item, folder) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_paths(item, folder) for item in value]
    if not isinstance(value, str):
        return value
    root = folder.resolve()
    if root.name:
        value = re.sub(rf"""(?<![^\s'"=(]){re.escape(str(root))}(?=[\\/\s'",.;:)]|$)""", lambda _: root.name, value)
    return ABSOLUTE_PATH.sub(r"…/\1", value)


def _render(**content: Any) -> str:
    page = page_template(Path(__file__).with_name("report.html"), show=_show, percent=_percent, duration=_duration)
    return page.render(words=WORDS, **content)


def _show(value: Any, digits: str = ".4g") -> str:
    if value is None or value == "" or isinstance(value, Undefined):
        return MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_show(item)}" for name, item in value.items())
    if isinstance(value, list):
        return ", ".join(_show(item) for item in value)
    return format(value, digits) if isinstance(value, float) else str(value)


def _percent(share: Any) -> str:
    return MISSING if share is None or isinstance(share, Undefined) else f"{100 * share:.1f} %"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
