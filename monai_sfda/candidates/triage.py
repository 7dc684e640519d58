"""What can be said of adapted networks before anything is outlined: whether they collapsed, and how sizes changed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from monai_sfda.candidates.ask import Asked
from monai_sfda.candidates.like_it import like_it
from monai_sfda.delivery.change import in_percent
from monai_sfda.delivery.verdict import read_verdict
from monai_sfda.json_file import read_json

__all__ = ["CAUTION", "triage"]

CAUTION = (
    "No collapse does not mean no harm: of 60 adaptations measured without a sign of one, 13 had lost more than half a "
    "point of Dice."
)
"""See docs/results.md, The verdict."""


def triage(run: Path, asked: Asked) -> dict[str, str]:
    """Adapted network -> what the checks of its adaptation found, in words.

    Args:
        run: output folder of ``adapt --methods``.
        asked: its candidates.
    """
    told = {}
    for name, candidate in asked.candidates.items():
        path = run / "candidates" / name / "report.json"
        if candidate.mixed is None and candidate.cutoff is None and path.is_file():
            told[name] = _sentence(read_json(path))
    return told


def _sentence(report: Mapping[str, Any]) -> str:
    try:
        verdict = read_verdict(report)
    except ValueError:
        return "its report holds no checks"
    change = report.get("change", {})
    alike = like_it(verdict["decision"], {name: row.get("area_ratio") for name, row in change.items()})
    if verdict["decision"] == "keep-source":
        return f"{verdict['sentence']} {alike[:1].upper()}{alike[1:]}."
    masks = report.get("source_masks", {})
    sizes = [_size(name, row, masks) for name, row in change.items()]
    return "; ".join(["no sign of a collapse", *sizes, alike])


def _size(name: str, row: Mapping[str, float], masks: Mapping[str, Any]) -> str:
    """Shares of the image: of the adapted network, of the source network, and in the masks that it learned from."""
    known = f", the source's masks {in_percent(masks['shares'][name])}" if name in masks.get("shares", {}) else ""
    if known and name in masks.get("spread", {}):
        known += f" with a spread of {in_percent(masks['spread'][name])}"
    return (
        f"{name} {in_percent(row['area_after'])} of the image (source network {in_percent(row['area_before'])}{known})"
    )
