"""With outlines: what each candidate gained, what to do, and the bundle to use."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from torch import from_numpy

from monai_sfda.candidates.ask import Asked
from monai_sfda.candidates.candidate import SOURCE
from monai_sfda.candidates.deliver import deliver, withdraw
from monai_sfda.candidates.fine_tune import FINE_TUNED, cross_fit, train_on_all
from monai_sfda.candidates.images import spacing_of_copy
from monai_sfda.candidates.outlines import Outlines, read_outlines
from monai_sfda.candidates.report import write_page
from monai_sfda.candidates.run import read_record, write_record
from monai_sfda.candidates.settle import Settled, compromise, settle
from monai_sfda.choice import (
    CaseGains,
    Decision,
    Gain,
    Rule,
    case_gains,
    decide,
    decide_jointly,
    drawn_in_order,
    estimate_gain,
    interval,
    is_safe,
    weights,
)
from monai_sfda.metrics import score_case

__all__ = ["measure"]

Scores = list[dict[str, dict[str, Any]]]
"""For each outlined image, structure -> measure -> value."""


ENDLESS = 10**9
"""Images, of which the outlined ones are no part worth mentioning."""
TOGETHER = "together"
"""Stands for the bundle whose structures come from different candidates."""


def measure(run: Path, asked: Asked, folder: str | Path, *, fine_tune: int = 0) -> dict[str, Any]:
    """Score the masks of all candidates on the outlines of a folder, and decide.

    Writes ``run/choice/report.html``, ``measured`` in ``run/choice.json``, and, unless more outlines are needed,
    ``run/chosen``, the bundle to use.

    Args:
        run: output folder of ``adapt --methods``.
        asked: what `ask` gave, with an order.
        folder: label maps, see `read_outlines`.
        fine_tune: epochs of a training on the outlines, which gives one candidate more, see `cross_fit`; 0: none.

    Returns:
        ``decision`` (adopt, keep-source or outline), ``networks`` (structure -> candidate), ``more`` (outlines) and
        ``sentence``; ``gains``: structure -> candidate -> numbers, see `_Sample.row`; ``curves``: see
        `draw_curves`; ``assd_unit``: pixels, or mm of
        volumes; ``same``: structure -> candidate -> the one that stands for it; ``outlined`` cases with the checksums
        of their outlines, ``skipped`` cases,
        ``empty`` (structure -> how many outlines do not have it), ``images`` (how many the gains hold for) and
        ``left_out`` (a sentence about each file and candidate that does not count).

    Raises:
        ValueError: if no outline can be used.
        FileNotFoundError: if there is none.
    """
    outlines = read_outlines(folder, asked.order, asked.images, asked.structures)
    if fine_tune:
        asked = cross_fit(run, asked, outlines, fine_tune)
    names = asked.structures.names
    wanted = dict.fromkeys([SOURCE, *(name for s in names for name in asked.distinct(s))])
    scores = _scores({name: dict.fromkeys(names, name) for name in wanted}, asked, outlines)
    sample = _Sample(asked, outlines)
    table = {s: {name: _case_gains(scores, name, s) for name in asked.distinct(s)} for s in names}
    gains = {s: {name: sample.estimate(name, row.values) for name, row in table[s].items()} for s in names}
    settled = settle(_decisions(asked, table, gains, sample), names)
    if len(set(settled.networks.values())) > 1:
        scores |= _scores({TOGETHER: settled.networks}, asked, outlines)
        joint = {s: _case_gains(scores, TOGETHER, s) for s in names}
        of = FINE_TUNED if FINE_TUNED in settled.networks.values() else TOGETHER
        together = {s: sample.estimate(of, row.values) for s, row in joint.items()}
        settled = _guarded(settled, gains, asked.same, together, sample)
        if len(set(settled.networks.values())) > 1:
            table = {s: {**table[s], TOGETHER: joint[s]} for s in names}
    rows = {s: {name: sample.row(row, scores, name, s, len(gains[s])) for name, row in table[s].items()} for s in names}
    measured = {
        "decision": settled.action,
        "networks": settled.networks,
        "more": settled.more,
        "sentence": settled.sentence,
        "gains": rows,
        "curves": {s: sample.curve(table[s], settled.networks.get(s, ""), len(gains[s])) for s in names},
        "assd_unit": "mm" if asked.structures.volumes else "pixels",
        "same": {s: {name: other for name, other in asked.same[s].items() if name != other} for s in names},
        "images": sample.total,
        "outlined": outlines.checksums,
        "empty": {s: sum(bool(row[s]["empty_reference"]) for row in scores[SOURCE]) for s in names},
        "skipped": outlines.skipped,
        "left_out": [*asked.left_out, *outlines.left_out],
    }
    if settled.networks:
        if FINE_TUNED in settled.networks.values():
            train_on_all(run, asked, outlines, fine_tune)
        chosen = {structure: asked.candidates[name] for structure, name in settled.networks.items()}
        deliver(run, chosen, asked.structures, measured)
    else:
        withdraw(run)
    write_page(run, asked, measured)
    write_record(run, {**read_record(run), "measured": measured})
    return measured


class _Sample:
    """The outlined images as a draw from all that can be outlined."""

    def __init__(self, asked: Asked, outlines: Outlines) -> None:
        able = {drawn.case: drawn.disagreement for drawn in asked.order if drawn.case not in outlines.skipped}
        self.total = len(able)
        self.draws = drawn_in_order(list(outlines.masks), able)
        copies = {drawn.case for drawn in asked.order if drawn.image}
        count, exhausted = len(outlines.masks), copies <= {*outlines.masks, *outlines.skipped}
        self.rule = Rule(cap=min(count, Rule().cap)) if exhausted else Rule()  # nothing is left to outline

    def estimate(self, name: str, values: Sequence[float]) -> Gain:
        """Of a candidate; outlines that it has learned from tell what it gains on others, never on these themselves."""
        drawn = weights(self.draws[: len(values)], self.total)
        return estimate_gain(values, weights=drawn, total=ENDLESS if name == FINE_TUNED else self.total)

    def curve(self, column: Mapping[str, CaseGains], network: str, rivals: int) -> dict[str, Any]:
        """What was known of the network that was taken, or else looks best, after each outline since the first look."""
        best = max(column, key=lambda name: self.estimate(name, column[name].values).mean)
        name = network if network in column else best
        counts = range(self.rule.schedule(self.total)[0], len(self.draws) + 1)
        told = [self.told(self.estimate(name, column[name].values[:count]), rivals) for count in counts]
        return {"candidate": name, "after": [{"outlines": n, **one} for n, one in zip(counts, told, strict=True)]}

    def told(self, gain: Gain, rivals: int) -> dict[str, float | None]:
        """``dice``: mean gain, with an interval ``low`` to ``high``, 95 % for all ``rivals`` and looks together."""
        level = self.rule.stated_level(gain.count, self.total, rivals)
        low, high = (None if math.isnan(bound) else bound for bound in interval(gain, level))
        return {"dice": gain.mean, "low": low, "high": high}

    def row(
        self, cases: CaseGains, scores: Mapping[str, Scores], name: str, structure: str, rivals: int
    ) -> dict[str, Any]:
        """What `told` says; ``assd``: mean change; ``undefined``: outlined images on which outline and mask are both
        empty. None where too few outlines tell.
        """
        told = self.told(self.estimate(name, cases.values), rivals)
        return {**told, "assd": _surface(scores, name, structure), "undefined": cases.undefined}


def _decisions(
    asked: Asked,
    table: Mapping[str, Mapping[str, CaseGains]],
    gains: Mapping[str, Mapping[str, Gain]],
    sample: _Sample,
) -> list[Decision]:
    if not asked.structures.joint:
        return [decide(structure, column, total=sample.total, rule=sample.rule) for structure, column in gains.items()]
    columns = list(table.values())
    means = {name: map(fmean, zip(*(column[name].values for column in columns), strict=True)) for name in columns[0]}
    mean = {name: sample.estimate(name, list(values)) for name, values in means.items()}
    return [decide_jointly(gains, mean, total=sample.total, rule=sample.rule)]


def _guarded(
    settled: Settled,
    gains: Mapping[str, Mapping[str, Gain]],
    same: Mapping[str, Mapping[str, str]],
    together: Mapping[str, Gain],
    sample: _Sample,
) -> Settled:
    """One candidate for all where a structure loses by what another candidate says of the one around it."""
    error = sample.rule.error_at(next(iter(together.values())).count, sample.total)
    for structure, gain in together.items():
        if not is_safe(TOGETHER, [{TOGETHER: gain}], error / len(gains[structure]), sample.rule):
            return compromise(settled, gains, same, total=sample.total, rule=sample.rule)
    return settled


def _scores(wanted: Mapping[str, Mapping[str, str]], asked: Asked, outlines: Outlines) -> dict[str, Scores]:
    """Name -> scores of the masks whose structures come from the candidates that are wanted under it."""
    structures = asked.structures
    copies = {drawn.case: asked.images / drawn.image for drawn in asked.order}
    scores: dict[str, Scores] = {name: [] for name in wanted}
    for case, outline in outlines.masks.items():
        spacing = spacing_of_copy(copies[case]) if structures.volumes else 1.0
        for name, networks in wanted.items():
            channels = from_numpy(_channels(networks, asked, case))
            row = score_case(channels, from_numpy(outline), structures=structures.names, spacing=spacing)
            scores[name].append(row)
    return scores


def _channels(networks: Mapping[str, str], asked: Asked, case: str) -> np.ndarray:
    """(K, *S) bool, each structure from its candidate."""
    structures = asked.structures
    masks = {name: structures.read(asked.masks[name][case]) for name in set(networks.values())}
    channels = np.stack([masks[networks[name]][place] for place, name in enumerate(structures.names)])
    return np.logical_and.accumulate(channels) if structures.nested else channels


def _case_gains(scores: Mapping[str, Scores], name: str, structure: str) -> CaseGains:
    after, before = ([row[structure]["dice"] for row in scores[one]] for one in (name, SOURCE))
    return case_gains(after, before)


def _surface(scores: Mapping[str, Scores], name: str, structure: str) -> float | None:
    """Mean change of the average surface distance of the outlined images on which both have one."""
    after, before = ([row[structure]["assd_pooled"] for row in scores[one]] for one in (name, SOURCE))
    changes = [mine - theirs for mine, theirs in zip(after, before, strict=True)]
    measured = [change for change in changes if math.isfinite(change)]
    return fmean(measured) if measured else None
