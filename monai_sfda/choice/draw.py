"""Which images to outline, and what each counts for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

__all__ = ["Draw", "draw_order", "drawn_in_order", "weights"]


class Draw(NamedTuple):
    """One image of the order."""

    case: str
    probability: float
    """With which it was drawn from the images that were left then."""


def draw_order(
    disagreement: Mapping[str, float], *, seed: int, uniform: bool = False, count: int | None = None
) -> list[Draw]:
    """Draw images without replacement: half of each probability is uniform, half is proportional to the disagreement.

    Images on which the candidates differ from the source network decide more, so they come earlier; `weights` makes
    up for that. The same seed gives the same order, however the mapping is ordered.

    Args:
        disagreement: case -> how much the candidates' masks differ from those of the source network; at least 0.
        seed: of the drawing.
        uniform: draw all with equal probability.
        count: how many to draw; None: all.

    Raises:
        ValueError: if a disagreement is negative or no number, or there are fewer cases than ``count``.
    """
    cases = sorted(disagreement)
    sizes = np.array([float(disagreement[case]) for case in cases])
    for case, size in zip(cases, sizes, strict=True):
        if not 0 <= size < np.inf:
            raise ValueError(f"Expected disagreements of at least 0, found {size} for {case}; give 1 - Dice.")
    count = len(cases) if count is None else count
    if not 0 <= count <= len(cases):
        raise ValueError(f"Expected to draw 0 to {len(cases)} images, found {count}; give such a number.")
    if uniform:
        sizes = np.zeros_like(sizes)
    generator = np.random.default_rng(seed)
    left = np.arange(len(cases))
    draws = []
    for _ in range(count):
        probability = _probability(sizes[left])
        place = generator.choice(len(left), p=probability)
        draws.append(Draw(cases[left[place]], float(probability[place])))
        left = np.delete(left, place)
    return draws


def weights(draws: Sequence[Draw], total: int) -> list[float]:
    r"""What the gains of the n images drawn so far count for, so that their weighted mean is unbiased.

    .. math::  v_t = 1 + \frac{N - n}{N - t} \left( \frac{1}{(N - t + 1) \, q_t} - 1 \right)

    with N images in all and q_t the probability of draw t; a uniform drawing gives 1. Farquhar, Gal and Rainforth, ICLR
    2021, weights of R_LURE.

    Args:
        draws: the first n of `draw_order`, in its order.
        total: N, the number of images that were drawn from.

    Raises:
        ValueError: if there are more draws than images.
    """
    n = len(draws)
    if n > total:
        raise ValueError(f"Expected at most {total} draws of as many images, found {n}; give the number of images.")
    if n == total:
        return [1.0] * n  # every image counts once, in whatever order it came
    return [
        1 + (total - n) / (total - t) * (1 / ((total - t + 1) * draw.probability) - 1)
        for t, draw in enumerate(draws, start=1)
    ]


def drawn_in_order(order: Sequence[str], disagreement: Mapping[str, float]) -> list[Draw]:
    """Draws in a known order, with the probabilities that they have if only these cases can be drawn.

    Images that were drawn and cannot be outlined are in neither of the two arguments, as if they had never been there.
    Those that were drawn before such an image had slightly smaller probabilities than these.

    Args:
        order: the cases that were drawn, in their order.
        disagreement: of all cases that could be drawn, as for `draw_order`.

    Raises:
        ValueError: if a case is drawn twice or could not be drawn.
    """
    left = dict(sorted(disagreement.items()))
    draws = []
    for case in order:
        if case not in left:
            raise ValueError(f"Expected each drawn case once among all cases, found {case}; correct the order.")
        probability = _probability(np.array(list(left.values()), dtype=float))[list(left).index(case)]
        draws.append(Draw(case, float(probability)))
        del left[case]
    return draws


def _probability(sizes: np.ndarray) -> np.ndarray:
    even = np.full(len(sizes), 1 / len(sizes))
    return even if not sizes.any() else (even + sizes / sizes.sum()) / 2
