"""Choosing with outlines where the truth is known: do the intervals cover it, and what does each bound cost?

Draws from 100 images with gains of several shapes, and prints how often the 95 % interval holds the true gain; how
often one candidate is adopted that loses just more than the margin, or gains, by Student's t and by two alternatives: a
sign-flip test and a betting test that is valid at any time (Waudby-Smith and Ramdas, arXiv 2010.09686); and what
becomes of several candidates, with the rule and without its corrections.

    python scripts/simulate_choice.py --runs 1000
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np

from monai_sfda.choice import Rule, decide, draw_order, estimate_gain, interval, lower_bound, weights

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


class Run(NamedTuple):
    """Gains of the drawn images, and what they count for at each number of outlines."""

    gains: np.ndarray
    """(candidates, 20)"""
    weights: Mapping[int, Sequence[float]]


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
    return Run(values[:, [int(draw.case) for draw in draws]], counts)


def coverage(shape: str, uniform: bool, runs: int) -> list[float]:
    """Share of the intervals that hold a true gain of two points, in per cent, at each of ``COUNTS``."""
    held = np.zeros(len(COUNTS))
    for seed in range(runs):
        one = run(shape, [0.02], seed, uniform=uniform)
        for place, n in enumerate(COUNTS):
            low, high = interval(estimate_gain(one.gains[0, :n], weights=one.weights[n], total=IMAGES))
            held[place] += low <= 0.02 <= high
    return list(100 * held / runs)


def by_t(gains: np.ndarray, v: np.ndarray) -> bool:
    gain = estimate_gain(gains, weights=v, total=IMAGES)
    return gain.mean > 0 and lower_bound(gain, RULE.error_at(len(gains), IMAGES)) > -RULE.margin


def by_sign_flips(gains: np.ndarray, v: np.ndarray) -> bool:
    """Could the gains above the margin as well have the other sign? Exact where their spread is symmetric."""
    parts = v * gains + RULE.margin
    share = ((flips(len(parts)) @ parts / len(parts)) >= parts.mean() - 1e-12).mean()
    return parts.mean() > RULE.margin and share <= RULE.error_at(len(gains), IMAGES)


@cache
def flips(n: int) -> np.ndarray:
    """Signs of the gains as they are, and 2,000 times at random."""
    return np.vstack([np.ones(n), np.random.default_rng(n).choice([-1.0, 1.0], size=(2000, n))])


def by_betting(gains: np.ndarray, v: np.ndarray) -> bool:
    """Capital of a gambler who bets that the mean exceeds the margin; weighted gains lie in [-2, 2]."""
    wealth, parts = 1.0, v * gains + RULE.margin
    for part in parts:
        wealth *= 1 + 0.25 * part  # the largest stake that cannot lose more than half of the capital
        if wealth >= 1 / RULE.error:
            return bool((v * gains).mean() > 0)
    return False


def adoptions(shape: str, mean: float, test: Callable, uniform: bool, runs: int) -> str:
    """Share of runs that adopt the one candidate, and mean number of outlines used, adopted or not."""
    adopted = used = 0
    for seed in range(runs):
        one = run(shape, [mean], seed, uniform=uniform)
        for n in RULE.schedule(IMAGES):
            if test(one.gains[0, :n], np.array(one.weights[n])):
                adopted += 1
                break
        used += n
    return f"{100 * adopted / runs:.1f} ({used / runs:.1f})"


def several(shape: str, means: Sequence[float], spread: float, runs: int, *, corrected: bool) -> str:
    """Share of runs that do harm / share of the largest gain that is kept / mean number of outlines."""
    harm = gain = used = 0.0
    for seed in range(runs):
        one = run(shape, means, seed, spread=spread)
        for n in RULE.schedule(IMAGES):
            v = one.weights[n]
            made = {f"{m}": estimate_gain(row[:n], weights=v, total=IMAGES) for m, row in enumerate(one.gains)}
            best = max(made, key=lambda name: made[name].mean)
            if corrected:
                decision = decide("", made, total=IMAGES, rule=RULE)
                action, best = decision.action, decision.candidate
            else:
                safe = made[best].mean > 0 and lower_bound(made[best], RULE.error) > -RULE.margin
                action = "adopt" if safe else "outline"
            if action != "outline":
                break
        used += n
        true = means[int(best)] if action == "adopt" else 0.0
        harm += true < -RULE.margin
        gain += true
    kept = f"{100 * gain / runs / max(means):.0f}" if max(means) > 0 else "-"
    return f"{100 * harm / runs:.1f} / {kept} / {used / runs:.1f}"


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
    print("Several candidates: harm, % / gain kept, % / outlines used, with the corrections; without them")
    for shape in ("normal", "few large losses"):
        for spread in (0.05, 0.12):
            for means in ([LOSES] * 3, [LOSES] * 7, [-0.03] * 3, [0.03, LOSES, LOSES], [0.05, -0.04, -0.06]):
                found = [several(shape, means, spread, runs, corrected=corrected) for corrected in (True, False)]
                points = ", ".join(f"{100 * mean:+.1f}" for mean in means)
                print(f"  {shape}, sd {100 * spread:.0f}, {points}: {'; '.join(found)}", flush=True)


if __name__ == "__main__":
    main()
