"""What a candidate gains over the source network, on all images, from the few that are outlined."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["Gain", "estimate_gain"]

FEWEST = 3
"""Outlines for an error: of two values the spread says next to nothing."""


class Gain(NamedTuple):
    """Mean gain of Dice over all images; 0.01 is one point."""

    mean: float
    """nan without any outline."""
    error: float
    """Standard error of the mean; nan below three outlines, 0 once all images are outlined."""
    count: int  # type: ignore[assignment]  # NamedTuple has a method of this name, which nobody needs
    """Outlines that it rests on."""


def estimate_gain(
    gains: Sequence[float],
    *,
    total: int,
    weights: Sequence[float] | None = None,
    proxy: Sequence[float] | None = None,
    proxy_all: Sequence[float] | None = None,
) -> Gain:
    r"""Estimate the mean gain over all N images from n outlined ones, helped by a guess if there is one.

    .. math::
        g &= \lambda \, \overline{f}_N + \tfrac{1}{n} \sum v \, (y - \lambda f), \quad
        \lambda = \mathrm{clip}(\mathrm{cov}(y, f) / \mathrm{var}(f), 0, 1) \\
        e^2 &= (1 - n / N) \, \mathrm{var}(v \, (y - \lambda f)) / n

    A guess f that follows the gains y narrows the error; one that does not gets :math:`\lambda` = 0, which leaves the
    weighted mean. Angelopoulos et al. 2023, arXiv 2301.09633 and 2311.01453; in surveys, the difference estimator. The
    outlined images are part of the N, hence 1 - n / N.

    Args:
        gains: (n,), y, Dice of the candidate minus Dice of the source network.
        total: N.
        weights: (n,), v, of `monai_sfda.choice.weights`; None: all 1, for a uniform drawing.
        proxy: (n,), f, gains guessed without outlines.
        proxy_all: (N,), the same of all images.

    Raises:
        ValueError: if lengths differ, a value is no number, or one of the two proxies is missing.
    """
    n = len(gains)
    if n > total:
        raise ValueError(f"Expected at most {total} gains of as many images, found {n}; give the number of images.")
    if (proxy is None) != (proxy_all is None):
        raise ValueError("Expected proxy and proxy_all, found one of them; give both or none.")
    y = _checked("gains", gains, n)
    v = [1.0] * n if weights is None else _checked("weights", weights, n)
    if not n:
        return Gain(math.nan, math.nan, 0)
    guessed = 0.0
    if proxy is not None and proxy_all is not None:
        f, everywhere = _checked("proxy", proxy, n), _checked("proxy_all", proxy_all, total)
        share = _share(y, f)
        guessed = share * _mean(everywhere)
        y = [mine - share * guess for mine, guess in zip(y, f, strict=True)]
    parts = [weight * rest for weight, rest in zip(v, y, strict=True)]
    mean = _mean(parts)
    error = math.nan
    if n >= FEWEST:
        variance = sum((part - mean) ** 2 for part in parts) / (n - 1)
        error = math.sqrt((1 - n / total) * variance / n)
    return Gain(guessed + mean, error, n)


def _share(y: Sequence[float], f: Sequence[float]) -> float:
    middle_y, middle_f = _mean(y), _mean(f)
    spread = sum((guess - middle_f) ** 2 for guess in f)
    together = sum((mine - middle_y) * (guess - middle_f) for mine, guess in zip(y, f, strict=True))
    return min(max(together / spread, 0.0), 1.0) if len(y) >= FEWEST and spread > 0 else 0.0


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _checked(name: str, values: Sequence[float], length: int) -> Sequence[float]:
    if len(values) != length or not all(map(math.isfinite, values)):
        raise ValueError(f"Expected {length} finite numbers for {name}, found {values}; give one number per image.")
    return values
