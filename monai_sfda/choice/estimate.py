"""What a candidate gains over the source network, on all images, from the few that are outlined."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

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
    y = _checked("gains", gains, None)
    n = len(y)
    if n > total:
        raise ValueError(f"Expected at most {total} gains of as many images, found {n}; give the number of images.")
    if (proxy is None) != (proxy_all is None):
        raise ValueError("Expected proxy and proxy_all, found one of them; give both or none.")
    v = np.ones(n) if weights is None else _checked("weights", weights, n)
    f = np.zeros(n) if proxy is None else _checked("proxy", proxy, n)
    everywhere = np.zeros(total) if proxy_all is None else _checked("proxy_all", proxy_all, total)
    if not n:
        return Gain(np.nan, np.nan, 0)
    share = _share(y, f)
    parts = v * (y - share * f)
    mean = share * everywhere.mean() + parts.mean()
    error = np.sqrt((1 - n / total) * parts.var(ddof=1) / n) if n >= FEWEST else np.nan
    return Gain(float(mean), float(error), n)


def _share(y: np.ndarray, f: np.ndarray) -> float:
    spread = ((f - f.mean()) ** 2).sum()
    together = ((y - y.mean()) * (f - f.mean())).sum()
    return float(np.clip(together / spread, 0, 1)) if len(y) >= FEWEST and spread > 0 else 0.0


def _checked(name: str, values: Sequence[float], length: int | None) -> np.ndarray:
    array = np.asarray(values, dtype=float)
    if array.ndim != 1 or (length is not None and len(array) != length) or not np.isfinite(array).all():
        wanted = "finite numbers" if length is None else f"{length} finite numbers"
        raise ValueError(f"Expected {wanted} for {name}, found {values}; give one number per image.")
    return array
