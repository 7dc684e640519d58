"""The page that says which network to use, and what that rests on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from monai_sfda.candidates.ask import Asked
from monai_sfda.candidates.curve import draw_curves
from monai_sfda.candidates.words import WORDS, distance, from_whom, points
from monai_sfda.files import whole_file
from monai_sfda.json_file import read_json
from monai_sfda.report.page import page_template

__all__ = ["write_page"]


def write_page(run: Path, asked: Asked, measured: Mapping[str, Any]) -> Path:
    """Write ``run/choice/report.html``, whole or not at all.

    It does not say where the run is: the same run gives the same page in any folder.

    Args:
        run: the run.
        asked: its candidates and the drawn images.
        measured: what `monai_sfda.candidates.measure` found.
    """
    metadata = read_json(asked.candidates["source"].bundle / "configs" / "metadata.json")
    outlined = [drawn for drawn in asked.order if drawn.case in measured["outlined"]]
    page = page_template(Path(__file__).with_name("report.html"), points=points, distance=distance).render(
        title=f"{metadata.get('name', 'Bundle')}: choice of a network",
        measured={**measured, "left_out": [_without(run, sentence) for sentence in measured["left_out"]]},
        caution=metadata.get("caution"),
        decision=WORDS[measured["decision"]],
        network=from_whom(measured["networks"]),
        outlined=outlined,
        curves=draw_curves(measured["curves"]),
    )
    path = run / "choice" / "report.html"
    with whole_file(path) as draft:
        draft.write_text(page, encoding="utf-8", errors="backslashreplace")
    return path


def _without(run: Path, sentence: str) -> str:
    """Reports are passed on, so that the folder of the run is not named in them."""
    return sentence.replace(f"{run.resolve()}/", "").replace(f"{run}/", "")
