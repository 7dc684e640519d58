"""With outlines: what each candidate gained, what to do, and the bundle to use."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from torch import from_numpy

from monai_sfda.candidates.ask import Asked
from monai_sfda.candidates.deliver import deliver, withdraw
from monai_sfda.candidates.outlines import Outlines, read_outlines
from monai_sfda.candidates.report import write_page
from monai_sfda.candidates.run import SOURCE, read_record, write_record
from monai_sfda.candidates.settle import settle
from monai_sfda.choice import (
    CaseGains,
    Decision,
    Gain,
    case_gains,
    decide,
    decide_jointly,
    drawn_in_order,
    estimate_gain,
    interval,
    weights,
)
from monai_sfda.choice.decide import STATED_ERROR
from monai_sfda.metrics import score_case

__all__ = ["measure"]

Scores = list[dict[str, dict[str, Any]]]
"""For each outlined image, structure -> measure -> value."""


def measure(run: Path, asked: Asked, folder: str | Path) -> dict[str, Any]:
    """Score the masks of all candidates on the outlines of a folder, and decide.

    Writes ``run/choice/report.html``, ``measured`` in ``run/choice.json``, and, unless more outlines are needed,
    ``run/chosen``, the bundle to use.

    Args:
        run: output folder of ``adapt --methods``.
        asked: what `ask` gave, with an order.
        folder: label maps, see `read_outlines`.

    Returns:
        ``decision`` (adopt, keep-source or outline), ``network`` (its name), ``more`` (outlines) and ``sentence``;
        ``gains``: structure -> candidate -> numbers, see `_row`; ``outlined`` and ``skipped`` cases, ``empty``
        (structure -> how many outlines do not have it), ``images`` (how many the gains hold for) and ``left_out`` (a
        sentence about each file and candidate that does not count).

    Raises:
        ValueError: if no outline can be used.
        FileNotFoundError: if there is none.
    """
    outlines = read_outlines(folder, asked.order, asked.images, asked.structures)
    names = asked.structures.names
    scores = {name: _scores(masks, asked, outlines) for name, masks in asked.masks.items()}
    table = {s: {name: _case_gains(scores, name, s) for name in scores if name != SOURCE} for s in names}
    able = {drawn.case: drawn.disagreement for drawn in asked.order if drawn.case not in outlines.skipped}
    counts_for = weights(drawn_in_order(list(outlines.masks), able), len(able))
    gains = {s: {name: _estimate(row.values, counts_for, able) for name, row in table[s].items()} for s in names}
    if asked.structures.joint:
        means = {
            name: map(fmean, zip(*(table[s][name].values for s in names), strict=True)) for name in gains[names[0]]
        }
        mean = {name: _estimate(list(values), counts_for, able) for name, values in means.items()}
        decisions: Sequence[Decision] = [decide_jointly(gains, mean, total=len(able))]
    else:
        decisions = [decide(s, gains[s], total=len(able)) for s in names]
    settled = settle(decisions, gains, total=len(able))
    stated = 1 - STATED_ERROR / (len(scores) - 1)
    rows = {
        s: {name: _row(gain, stated, table[s][name], _surface(scores, name, s)) for name, gain in gains[s].items()}
        for s in names
    }
    measured = {
        "decision": settled.action,
        "network": settled.network,
        "more": settled.more,
        "sentence": settled.sentence,
        "gains": rows,
        "images": len(able),
        "outlined": list(outlines.masks),
        "empty": {s: sum(bool(row[s]["empty_reference"]) for row in scores[SOURCE]) for s in names},
        "skipped": outlines.skipped,
        "left_out": [*asked.left_out, *outlines.left_out],
    }
    if settled.network:
        deliver(run, asked.candidates[settled.network], measured)
    else:
        withdraw(run)
    write_page(run, asked, measured)
    write_record(run, {**read_record(run), "measured": measured})
    return measured


def _scores(masks: Mapping[str, Path], asked: Asked, outlines: Outlines) -> Scores:
    return [
        score_case(
            from_numpy(asked.structures.read(masks[case])), from_numpy(outline), structures=asked.structures.names
        )
        for case, outline in outlines.masks.items()
    ]


def _case_gains(scores: Mapping[str, Scores], name: str, structure: str) -> CaseGains:
    after, before = ([row[structure]["dice"] for row in scores[one]] for one in (name, SOURCE))
    return case_gains(after, before)


def _estimate(values: Sequence[float], counts_for: Sequence[float], able: Mapping[str, float]) -> Gain:
    return estimate_gain(values, weights=counts_for, total=len(able))


def _surface(scores: Mapping[str, Scores], name: str, structure: str) -> float | None:
    """Mean change of the average surface distance, in pixels, of the outlined images on which both have one."""
    after, before = ([row[structure]["assd_pooled"] for row in scores[one]] for one in (name, SOURCE))
    changes = [mine - theirs for mine, theirs in zip(after, before, strict=True)]
    measured = [change for change in changes if math.isfinite(change)]
    return fmean(measured) if measured else None


def _row(gain: Gain, level: float, cases: CaseGains, surface: float | None) -> dict[str, Any]:
    """``dice``: mean gain, with an interval ``low`` to ``high``, 95 % for all candidates together; ``assd``: mean
    change in pixels; ``undefined``: outlined images on which outline and mask are both empty. None where too few
    outlines tell.
    """
    low, high = (None if math.isnan(bound) else bound for bound in interval(gain, level))
    return {"dice": gain.mean, "low": low, "high": high, "assd": surface, "undefined": cases.undefined}
