"""Choosing with outlines where the truth is known: do the intervals cover it, and what does each bound cost?

Draws from 100 images with gains of several shapes, and prints how often the 95 % interval holds the true gain; how
often one candidate is adopted that loses just more than the margin, or gains, by Student's t and by two alternatives: a
sign-flip test, and betting, which is valid at any time whatever the gains look like (Waudby-Smith and Ramdas, arXiv
2010.09686), within the range that the masks of source and candidate leave to each gain; and what becomes of several
candidates, with the rule and without its corrections.

    python scripts/simulate_choice.py --runs 1000
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np

from monai_sfda.choice import (
    Gain,
    Rule,
    decide,
    draw_order,
    estimate_gain,
    interval,
    lower_bound,
    pull,
    stated,
    weights,
)

IMAGES = 100
RULE = Rule()
SHAPES: Mapping[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "normal": lambda random, rows: random.normal(size=(rows, IMAGES)),
    "heavy tails": lambda random, rows: random.standard_t(3, size=(rows, IMAGES)),
    "few large losses": lambda random, rows: -random.gamma(0.7, size=(rows, IMAGES)),
    "few large gains": lambda random, rows: random.gamma(0.7, size=(rows, IMAGES)),
    "nine in ten unchanged": lambda random, rows: (
        random.normal(size=(rows, IMAGES)) * (random.random((rows, IMAGES)) < 0.1)
    ),
}
COUNTS = (3, 5, 8, 12, 20)
DRAWINGS = {"uniform": True, "by disagreement": False}
LOSES = -0.011
"""A true gain that just does harm."""
TOLD = (
    (0.05, [0.05, -0.04, -0.06]),
    (0.12, [0.05, -0.04, -0.06]),
    (0.08, [0.02, 0.0, 0.0, -0.02, -0.04]),
    (0.12, [0.0] * 7),
)
"""Spread and true gains of candidates, from easy to hopeless."""


LOOSE = 1.5
"""What the masks allow a gain to be, over how much they differ."""
STAKE = 0.75
"""Most of the capital that one image may cost."""


class Run(NamedTuple):
    """Gains of the drawn images, and what they count for at each number of outlines."""

    gains: np.ndarray
    """(candidates, 20)"""
    weights: Mapping[int, Sequence[float]]
    order: Sequence[int]
    """(20,), the images that were drawn."""
    drawn_by: np.ndarray
    """(images,), to which the chances of the drawing are half proportional; all 0 if it is uniform."""
    ranges: np.ndarray
    """(images,), what no gain exceeds in either direction."""


def run(shape: str, means: Sequence[float], seed: int, *, spread: float = 0.05, uniform: bool = False) -> Run:
    """One population with exactly these mean gains, drawn from once; 0.4 of the variance is common to all candidates.

    The masks differ by what they gain or lose, and by as much again where neither is better.
    """
    random = np.random.default_rng(seed)
    values = np.sqrt(0.4) * SHAPES[shape](random, 1) + np.sqrt(0.6) * SHAPES[shape](random, len(means))
    values = (values - values.mean(1, keepdims=True)) / values.std(1, keepdims=True)
    values = np.array(means)[:, None] + spread * values
    differ = np.abs(values).max(0) + np.abs(random.normal(scale=spread, size=IMAGES))
    draws = draw_order({f"{n:03}": size for n, size in enumerate(differ)}, seed=seed, uniform=uniform, count=RULE.cap)
    counts = {n: weights(draws[:n], IMAGES) for n in range(RULE.cap + 1)}
    order = [int(draw.case) for draw in draws]
    drawn_by = np.zeros(IMAGES) if uniform else differ
    return Run(values[:, order], counts, order, drawn_by, np.minimum(LOOSE * differ, 1))


def coverage(shape: str, uniform: bool, runs: int) -> list[float]:
    """Share of the intervals that hold a true gain of two points, in per cent, at each of ``COUNTS``."""
    held = np.zeros(len(COUNTS))
    for seed in range(runs):
        one = run(shape, [0.02], seed, uniform=uniform)
        for place, n in enumerate(COUNTS):
            low, high = interval(estimate_gain(one.gains[0, :n], weights=one.weights[n], total=IMAGES))
            held[place] += low <= 0.02 <= high
    return list(100 * held / runs)


def by_t(one: Run, n: int) -> bool:
    gain = estimate_gain(one.gains[0, :n], weights=one.weights[n], total=IMAGES)
    return gain.mean > 0 and lower_bound(gain, RULE.error_at(n, IMAGES)) > -RULE.margin


def by_sign_flips(one: Run, n: int) -> bool:
    """Could the gains above the margin as well have the other sign? Exact where their spread is symmetric."""
    parts = np.array(one.weights[n]) * one.gains[0, :n] + RULE.margin
    share = ((flips(n) @ parts / n) >= parts.mean() - 1e-12).mean()
    return parts.mean() > RULE.margin and share <= RULE.error_at(n, IMAGES)


@cache
def flips(n: int) -> np.ndarray:
    """Signs of the gains as they are, and 2,000 times at random."""
    return np.vstack([np.ones(n), np.random.default_rng(n).choice([-1.0, 1.0], size=(2000, n))])


def by_betting(one: Run, n: int, rivals: int = 1, row: int = 0) -> bool:
    """Capital of a gambler who bets, image by image, that the mean gain exceeds the margin.

    Given the images before, each draw estimates the mean of all without bias, and the ranges say what it can cost at
    most. Where the mean does not exceed the margin, the capital grows tenfold in at most one of ten runs.
    """
    wealth, seen, before, left = 1.0, 0.0, [], np.arange(IMAGES)
    for image, gain in zip(one.order[:n], one.gains[row, :n], strict=True):
        sizes = one.drawn_by[left]
        chances = np.full(len(left), 1 / len(left)) if not sizes.any() else (1 / len(left) + sizes / sizes.sum()) / 2
        worst = ((one.ranges[left] / chances).max() - seen) / IMAGES - RULE.margin
        found = (seen + gain / chances[left == image][0]) / IMAGES + RULE.margin
        wealth *= 1 + _stake(before, worst) * found
        if wealth >= rivals / RULE.error:
            return True
        before.append(found)
        seen, left = seen + gain, left[left != image]
    return False


def _stake(before: Sequence[float], worst: float) -> float:
    """Grows the capital fastest if the next image is like those before; half of the most until there are two."""
    if worst <= 0:
        return 0.0
    if len(before) < 2:
        return STAKE / 2 / worst
    mean, spread = np.mean(before), np.var(before) + (worst / 4) ** 2 / len(before)
    return float(np.clip(mean / (spread + mean**2), 0, STAKE / worst))


def adoptions(shape: str, mean: float, test: Callable, uniform: bool, runs: int) -> str:
    """Share of runs that adopt the one candidate, and mean number of outlines used, adopted or not."""
    adopted = used = 0
    for seed in range(runs):
        one = run(shape, [mean], seed, uniform=uniform)
        for n in RULE.schedule(IMAGES):
            if test(one, n):
                adopted += 1
                break
        used += n
    return f"{100 * adopted / runs:.1f} ({used / runs:.1f})"


def several(shape: str, means: Sequence[float], spread: float, runs: int, choose: Callable) -> str:
    """Share of runs that do harm / share of the largest gain that is kept / mean number of outlines."""
    harm = gain = used = 0.0
    for seed in range(runs):
        one = run(shape, means, seed, spread=spread)
        for n in RULE.schedule(IMAGES):
            action, best = choose(one, n)
            if action != "outline":
                break
        used += n
        true = means[best] if action == "adopt" else 0.0
        harm += true < -RULE.margin
        gain += true
    kept = f"{100 * gain / runs / max(means):.0f}" if max(means) > 0 else "-"
    return f"{100 * harm / runs:.1f} / {kept} / {used / runs:.1f}"


def told(shape: str, means: Sequence[float], spread: float, runs: int) -> str:
    """Of the runs that adopt: their share, mean gain as told and as it is in points, and told intervals that hold."""
    adopted = []
    for seed in range(runs):
        one = run(shape, means, seed, spread=spread)
        decisions = (decide("", estimates(one, n), total=IMAGES, rule=RULE) for n in RULE.schedule(IMAGES))
        last = next(decision for decision in decisions if not decision.more or decision.action != "outline")
        if last.action == "adopt":
            true = means[int(last.candidate)]
            adopted.append((100 * last.gain.mean, 100 * true, 100 * (last.interval.low <= true <= last.interval.high)))
    if not adopted:
        return "never"
    said, true, held = np.mean(adopted, 0)
    return f"{100 * len(adopted) / runs:.0f} / {said:+.1f} / {true:+.1f} / {held:.0f}"


def all_hold(shape: str, means: Sequence[float], spread: float, runs: int) -> str:
    """Share of runs in which the intervals of all candidates at all looks hold the truth / of the single intervals."""
    held = []
    for seed in range(runs):
        one = run(shape, means, seed, spread=spread)
        for n in RULE.schedule(IMAGES):
            level = RULE.stated_level(n, IMAGES)
            bounds = [stated(gain, level) for gain in estimates(one, n).values()]
            held.append([low <= mean <= high for (low, high), mean in zip(bounds, means, strict=True)])
    each = np.array(held).reshape(runs, -1)
    return f"{100 * each.all(1).mean():.0f} / {100 * each.mean():.1f}"


def estimates(one: Run, n: int) -> dict[str, Gain]:
    pulled = pull({f"{m}": row[:n] for m, row in enumerate(one.gains)}, weights=one.weights[n], total=IMAGES)
    return {name: estimate_gain(values, total=IMAGES) for name, values in pulled.items()}


def as_they_are(one: Run, n: int) -> dict[str, Gain]:
    return {f"{m}": estimate_gain(row[:n], weights=one.weights[n], total=IMAGES) for m, row in enumerate(one.gains)}


def by_rule(one: Run, n: int) -> tuple[str, int]:
    decision = decide("", estimates(one, n), total=IMAGES, rule=RULE)
    return decision.action, int(decision.candidate)


def uncorrected(one: Run, n: int) -> tuple[str, int]:
    made = as_they_are(one, n)
    best = max(made, key=lambda name: made[name].mean)
    safe = made[best].mean > 0 and lower_bound(made[best], RULE.error) > -RULE.margin
    return "adopt" if safe else "outline", int(best)


def bet_on_each(one: Run, n: int) -> tuple[str, int]:
    made = as_they_are(one, n)
    best = max(made, key=lambda name: made[name].mean)
    safe = made[best].mean > 0 and by_betting(one, n, len(made), int(best))
    return "adopt" if safe else "outline", int(best)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000, help="populations, each drawn from once")
    runs = parser.parse_args().runs
    print(f"95 % intervals that hold the true gain, %, at {', '.join(map(str, COUNTS))} outlines")
    for shape in SHAPES:
        for drawing, uniform in DRAWINGS.items():
            print(f"  {shape}, {drawing}: {', '.join(f'{share:.1f}' for share in coverage(shape, uniform, runs))}")
    print("Adopted, % (outlines used): a candidate that loses 1.1 points; one that gains 2; one that gains 5")
    for shape in SHAPES:
        for name, test in {"Student's t": by_t, "sign flips": by_sign_flips, "betting": by_betting}.items():
            for drawing, uniform in DRAWINGS.items():
                found = [adoptions(shape, mean, test, uniform, runs) for mean in (LOSES, 0.02, 0.05)]
                print(f"  {shape}, {name}, {drawing}: {'; '.join(found)}", flush=True)
    print("Adopted, % / gain told / true gain, points / told intervals that hold, %")
    for shape in ("normal", "few large losses"):
        for spread, means in TOLD:
            points = ", ".join(f"{100 * mean:+.0f}" for mean in means)
            print(f"  {shape}, sd {100 * spread:.0f}, {points}: {told(shape, means, spread, runs)}", flush=True)
    print("Told intervals that hold, %: all of a run together / one by one")
    for spread, means in (*TOLD, (0.08, [0.05] + [0.0] * 23)):
        points = ", ".join(f"{100 * mean:+.0f}" for mean in means[:5])
        found = [all_hold(shape, means, spread, runs) for shape in ("normal", "few large losses")]
        print(f"  sd {100 * spread:.0f}, {len(means)} of {points}: {'; '.join(found)}", flush=True)
    print("Several candidates: harm, % / gain kept, % / outlines used, with the rule; without its corrections; betting")
    crowd = [[0.05, -0.04, -0.06, *[0.0] * more] for more in (0, 9, 21)]
    middle = [[0.05, -0.04, -0.06, 0.04, -0.01, -0.02], [0.02, -0.04, -0.06, 0.05, -0.01, -0.02]]  # of the same methods
    for shape in ("normal", "few large losses"):
        for spread in (0.05, 0.12):
            for means in ([LOSES] * 3, [LOSES] * 7, [LOSES] * 24, [-0.03] * 3, [0.03, LOSES, LOSES], *crowd, *middle):
                found = [several(shape, means, spread, runs, choose) for choose in (by_rule, uncorrected, bet_on_each)]
                points = ", ".join(f"{100 * mean:+.1f}" for mean in means[:3])
                print(f"  {shape}, sd {100 * spread:.0f}, {len(means)} of {points}: {'; '.join(found)}", flush=True)


if __name__ == "__main__":
    main()
