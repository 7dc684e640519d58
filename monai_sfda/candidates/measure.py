"""With outlines: what each candidate gained, what to do, and the bundle to use."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from monai_sfda.candidates.ask import Asked
from monai_sfda.candidates.candidate import SOURCE
from monai_sfda.candidates.deliver import deliver, withdraw
from monai_sfda.candidates.estimates import TOGETHER, Estimates
from monai_sfda.candidates.fine_tune import FINE_TUNED, can_fine_tune, cross_fit, train_on_all
from monai_sfda.candidates.outlines import Outlines, read_outlines
from monai_sfda.candidates.report import write_page
from monai_sfda.candidates.run import read_record, write_record
from monai_sfda.candidates.sample import Sample
from monai_sfda.candidates.score import Scores, gains_of, mean_change, score_masks
from monai_sfda.candidates.settle import Settled, compromise, settle
from monai_sfda.choice import CaseGains, is_safe

__all__ = ["measure"]


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
        Plain values, which ``run/choice.json`` keeps under ``measured``:

        - ``decision`` (adopt, keep-source or outline), ``networks`` (structure -> candidate), ``more`` (outlines) and
          ``sentence``;
        - ``gains``: structure -> candidate -> what `Sample.told` says of its gain, the mean changes ``assd`` and
          ``hd95``, in ``assd_unit`` (pixels, or mm of volumes), and ``undefined``, on how many outlined images outline
          and mask are both empty;
        - ``curves``: structure -> see `Sample.curve`; ``same``: structure -> candidate -> the one that stands for it;
        - ``outlined``: case -> checksum of its outline; ``further``: how many outlines count from the next look on;
          ``tunable``: whether a training on them was left out; ``skipped`` cases; ``next``: copies of the images to
          outline now; ``empty``: structure -> how many outlines do not have it; ``images``: how many the gains hold
          for; ``left_out``: a sentence about each file and candidate that does not count.

    Raises:
        ValueError: if no outline can be used.
        FileNotFoundError: if there is none.
    """
    found = read_outlines(folder, asked.order, asked.images, asked.structures)
    sample = Sample(asked, found)
    outlines = sample.outlines
    if fine_tune:
        asked = cross_fit(run, asked, outlines, fine_tune)
    names = asked.structures.names
    wanted = dict.fromkeys([SOURCE, *(name for s in names for name in asked.distinct(s))])
    scores = score_masks({name: dict.fromkeys(names, name) for name in wanted}, asked, outlines)
    table = {s: {name: gains_of(scores, name, s) for name in asked.distinct(s)} for s in names}
    empty = {s: sum(bool(row[s]["empty_reference"]) for row in scores[SOURCE]) for s in names}
    unseen = [s for s in names if empty[s] == len(outlines.masks)]
    made = Estimates(table, asked, sample, unseen)
    gains = made.pulled
    settled = settle(made.decisions(), names, unseen)
    if len(set(settled.networks.values())) > 1:
        scores |= score_masks({TOGETHER: settled.networks}, asked, outlines)
        joint = {s: gains_of(scores, TOGETHER, s) for s in names}
        settled = compromise(settled, made, asked.same) if _lost(settled, table, joint, made) else settled
        if len(set(settled.networks.values())) > 1:
            table = {s: {**table[s], TOGETHER: joint[s]} for s in names}
            gains = {s: {**gains[s], TOGETHER: made.together(s, settled.networks[s], joint[s].values)} for s in names}
    measured = {
        "decision": settled.action,
        "networks": settled.networks,
        "more": settled.more,
        "sentence": settled.sentence,
        "gains": {
            s: {
                name: {**sample.told(gains[s][name]), **_further(scores, name, s, row)}
                for name, row in table[s].items()
            }
            for s in names
        },
        "curves": {s: sample.curve(made.changed[s], settled.networks.get(s, "")) for s in names},
        "assd_unit": "mm" if asked.structures.volumes else "pixels",
        "same": {s: {name: other for name, other in asked.same[s].items() if name != other} for s in names},
        "images": sample.total,
        "outlined": outlines.checksums,
        "empty": empty,
        "skipped": outlines.skipped,
        "further": sample.further,
        "tunable": not fine_tune and not asked.structures.one_network and can_fine_tune(asked, outlines),
        "next": _next(asked, found)[: settled.more],
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


def _further(scores: Mapping[str, Scores], name: str, structure: str, row: CaseGains) -> dict[str, Any]:
    """What is told of a candidate beside its gain."""
    return {
        "assd": mean_change("assd_mean_of_directed", scores, name, structure),
        "hd95": mean_change("hd95", scores, name, structure),
        "undefined": row.undefined,
    }


def _next(asked: Asked, outlines: Outlines) -> list[str]:
    """Names of the copies that have no outline that can be used yet, in order."""
    done = {*outlines.masks, *outlines.unable}
    return [drawn.image for drawn in asked.order if drawn.image and drawn.case not in done]


def _lost(
    settled: Settled,
    table: Mapping[str, Mapping[str, CaseGains]],
    joint: Mapping[str, CaseGains],
    made: Estimates,
) -> bool:
    """Whether a structure may have lost by what another candidate says of the one around it."""
    sample, of = made.sample, FINE_TUNED if FINE_TUNED in settled.networks.values() else TOGETHER
    for structure, network in settled.networks.items():
        values = joint[structure].values
        before = [0.0] * len(values) if network == SOURCE else table[structure][network].values
        gain = sample.alone(of, values)
        error = sample.rule.error_at(gain.count, sample.total)
        if structure not in made.unseen and values != before and not is_safe(of, [{of: gain}], error, sample.rule):
            return True
    return False
