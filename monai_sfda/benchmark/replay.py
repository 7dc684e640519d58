"""Finished cells as candidates: what the rule of `monai_sfda.choice` would have decided on their pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from monai_sfda.benchmark.adaptations import write_adaptations
from monai_sfda.benchmark.gains import same_cases, scored
from monai_sfda.benchmark.replay_plot import write_replay_plot
from monai_sfda.benchmark.run import Cell
from monai_sfda.choice.replay import OUTLINES, POLICIES, Choice, Scored, replay
from monai_sfda.choice.rule import Rule
from monai_sfda.files import whole_file
from monai_sfda.json_file import write_json
from monai_sfda.tables import read_csv

__all__ = ["Panel", "Share", "write_replay"]

SOURCE = "always source"


class Share(NamedTuple):
    """Decisions of one policy at one number of outlines, over all orders and seeds."""

    harm: float
    """Share that loses more than the margin against the source network, in [0, 1]."""
    gain: float
    """Mean true gain of Dice of what was chosen."""
    kept: float | None
    """Of ``gain``, the share in that of the best candidate (or source network) of each seed; None if nothing gains."""
    used: tuple[float, float] | None = None
    """Outlines until the decision: median and 90 % quantile."""
    covered: float | None = None
    """Share of the 95 % intervals at this number of outlines that hold the true gain."""
    said: float | None = None
    """Share of the intervals told with ``adopt`` that hold the true gain; None if nothing is adopted."""


class Panel(NamedTuple):
    """One structure of one pair."""

    pair: str
    structure: str
    images: int
    undefined: int
    """Gains of images on which the candidate's mask and the reference are both empty, which counts as a Dice of 1."""
    gains: Mapping[str, Sequence[float]]
    """candidate -> true mean gain of Dice, one per seed."""
    best: float
    """Mean gain of the best choice of each seed, the source network among them."""
    shares: Mapping[str, Mapping[int, Share]]
    """policy -> outlines -> share."""


def write_replay(cells: Sequence[Cell], output: Path, *, orders: int = 1000) -> str:
    """Write ``replay.md``, ``replay.json``, ``replay.png`` and ``adaptations.csv``, and return the first.

    Each seed's cells are a candidate set of their own.

    Args:
        cells: finished ones.
        output: folder to write.
        orders: of outlines, for each candidate set.

    Raises:
        ValueError: if no pair has both its source network and a method.
    """
    panels = [panel for pair in dict.fromkeys(cell.pair for cell in cells) for panel in _panels(cells, pair, orders)]
    if not panels:
        raise ValueError(
            f"Expected scored cells of a source network and a method in {output}, found none; run the benchmark first."
        )
    text = "\n\n".join(map(_markdown, panels)) + "\n"
    with whole_file(output / "replay.md") as draft:
        draft.write_text(text, encoding="utf-8")
    write_json(output / "replay.json", {"orders": orders, "panels": list(map(_plain, panels))}, indent=1)
    write_adaptations(output / "adaptations.csv", [output])
    write_replay_plot(
        {f"{p.pair}: {p.structure}": {name: p.shares[name] for name in POLICIES} for p in panels},
        output / "replay.png",
    )
    return text


def _panels(cells: Sequence[Cell], pair: str, orders: int) -> list[Panel]:
    mine = [cell for cell in cells if cell.pair == pair]
    source = next((cell for cell in mine if cell.kind == "source"), None)
    methods = [cell for cell in mine if cell.kind == "method"]
    if source is None or not methods:
        return []
    before = read_csv(source.folder / "scores" / "cases.csv")
    sets, choices, undefined = [], [], 0
    for seed in tqdm(dict.fromkeys(cell.seed for cell in methods), unit="seed", desc=f"replay, {pair}"):
        after = {cell.method: same_cases(cell.folder, before) for cell in methods if cell.seed == seed}
        one, empty = scored(before, after)
        sets.append(one)
        undefined += empty
        choices.append(list(replay(one, orders=orders)))
    return [_panel(pair, structure, len(before), undefined, sets, choices) for structure in sets[0].gains]


def _panel(
    pair: str, structure: str, images: int, undefined: int, sets: Sequence[Scored], choices: Sequence[Sequence[Choice]]
) -> Panel:
    means = [{name: fmean(values) for name, values in one.gains[structure].items()} for one in sets]
    best = [max(0.0, *each.values()) for each in means]
    shares: dict[str, dict[int, Share]] = {}
    for policy in POLICIES:
        chosen = [[c for c in each if (c.structure, c.policy) == (structure, policy)] for each in choices]
        stops = dict.fromkeys(choice.stop for choice in chosen[0])
        shares[policy] = {
            stop: _share([[c for c in each if c.stop == stop] for each in chosen], best) for stop in stops
        }
    names = list(dict.fromkeys(name for each in means for name in each))
    for name in names:
        with_it = [(each[name], top) for each, top in zip(means, best, strict=True) if name in each]
        shares[f"always {name}"] = dict.fromkeys(OUTLINES, _always(with_it))
    shares[SOURCE] = dict.fromkeys(OUTLINES, _always([(0.0, top) for top in best]))
    gains = {name: [each[name] for each in means if name in each] for name in names}
    return Panel(pair, structure, images, undefined, gains, fmean(best), shares)


def _share(choices: Sequence[Sequence[Choice]], best: Sequence[float]) -> Share:
    every = [choice for each in choices for choice in each]
    gain = fmean(fmean(choice.gain for choice in each) for each in choices)
    used = np.quantile([choice.used for choice in every], [0.5, 0.9])
    return Share(
        fmean(_harms(choice.gain) for choice in every),
        gain,
        gain / fmean(best) if any(best) else None,
        (float(used[0]), float(used[1])),
        _mean_of_numbers([choice.covered for choice in every]),
        _mean_of_numbers([choice.said for choice in every]),
    )


def _always(gains: Sequence[tuple[float, float]]) -> Share:
    mean, top = (fmean(values) for values in zip(*gains, strict=True))
    return Share(fmean(_harms(gain) for gain, _ in gains), mean, mean / top if top else None)


def _harms(gain: float) -> bool:
    return gain < -Rule().margin


def _mean_of_numbers(values: Sequence[float]) -> float | None:
    numbers = np.array(values)[~np.isnan(values)]
    return float(numbers.mean()) if len(numbers) else None


def _plain(panel: Panel) -> dict:
    shares = {policy: {stop: share._asdict() for stop, share in row.items()} for policy, row in panel.shares.items()}
    return {**panel._asdict(), "shares": shares}


def _markdown(panel: Panel) -> str:
    seeds = max(map(len, panel.gains.values()))
    gains = "; ".join(
        f"{name} {', '.join(f'{100 * gain:+.1f}' for gain in values)}" for name, values in panel.gains.items()
    )
    rule = panel.shares[POLICIES[0]]
    rows = {policy: [f"{100 * s.harm:.1f} / {_percent(s.kept)}" for s in row.values()] for policy, row in _shown(panel)}
    rows["outlines used by the rule, median (90 %)"] = [
        f"{s.used[0]:g} ({s.used[1]:g})" for s in rule.values() if s.used
    ]
    for policy in POLICIES[:2]:
        spread = panel.shares[policy].values()
        rows[f"{policy}: intervals that hold, 95 % of all / told with adopt, %"] = [
            f"{_percent(s.covered)} / {_percent(s.said)}" for s in spread
        ]
    lines = [f"| {name} | {' | '.join(cells)} |" for name, cells in rows.items()]
    return "\n".join(
        [
            f"### {panel.pair}: {panel.structure}",
            "",
            f"{panel.images} images; true gains in points, one per seed ({seeds}): {gains}. Gains with an empty mask "
            f"of an empty reference: {panel.undefined}.",
            "",
            f"| harm, % / gain kept, %, at outlines: | {' | '.join(map(str, rule))} |",
            f"|{'---|' * (1 + len(rule))}",
            *lines,
        ]
    )


def _shown(panel: Panel) -> list[tuple[str, Mapping[int, Share]]]:
    stops = panel.shares[POLICIES[0]]
    return [(name, {stop: row[stop] for stop in stops}) for name, row in panel.shares.items()]


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.0f}"
