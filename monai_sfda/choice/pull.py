"""Gains of several candidates, pulled toward their mean: the largest of several is too large on average."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

__all__ = ["pull"]

ORDER = 1e-6
"""Least share of a difference that stays, so that the best still comes first."""


def pull(
    gains: Mapping[str, Sequence[float]], *, total: int, weights: Sequence[float] | None = None
) -> dict[str, list[float]]:
    r"""Pull the gains of each candidate toward those of all, as far as their difference may be chance.

    With x the weighted gains v y of K candidates on n of N images:

    .. math::
        c_i &= \operatorname{mean}_k x_{ik}, \qquad r_{ik} = x_{ik} - c_i \\
        s_k^2 &= (1 - n / N) \, \mathrm{var}_i(r_{ik}) / n \\
        \tau^2 &= \max(0, \; \operatorname{mean}_k (\bar r_k^2 - s_k^2)) \\
        z_{ik} &= c_i + \frac{\tau^2}{\tau^2 + s_k^2} \, r_{ik}

    In the manner of James and Stein (1961) and of Efron and Morris (J. Am. Stat. Assoc. 1975): an empirical Bayes
    estimate, by moments. Candidates that differ by no more than chance get nearly the mean of all, and nobody is taken
    for having been lucky; where they differ clearly, or all images are outlined, their gains stay as they are. So do
    those of a candidate of which all outlines say the same: the others know nothing of what it does elsewhere.

    Args:
        gains: candidate -> (n,), Dice of the candidate minus Dice of the source network, on the same images.
        total: N.
        weights: (n,), v, see `estimate_gain`; None: all 1.

    Returns:
        candidate -> (n,), weighted values, whose mean and error `estimate_gain` gives.
    """
    names, n = list(gains), len(next(iter(gains.values()), ()))
    x = np.array([gains[name] for name in names], float) * (1.0 if weights is None else np.asarray(weights))
    if len(names) > 1 and n > 1:
        centre = x.mean(0)
        apart = x - centre
        chance = (1 - n / total) * apart.var(1, ddof=1) / n
        spread = max(0.0, float((apart.mean(1) ** 2 - chance).mean()))
        both = spread + chance
        share = np.divide(spread, both, out=np.ones_like(both), where=both > 0).clip(ORDER)
        share[np.ptp(x, axis=1) == 0] = 1
        x = centre + share[:, None] * apart
    return dict(zip(names, x.tolist(), strict=True))
