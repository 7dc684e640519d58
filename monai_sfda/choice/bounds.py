"""How far the true gain may be from its estimate."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from scipy.special import stdtrit

from monai_sfda.choice.estimate import Gain

__all__ = ["Interval", "interval", "lower_bound", "stated", "upper_bound"]


class Interval(NamedTuple):
    low: float
    high: float


def lower_bound(gain: Gain, error: float) -> float:
    """What the true gain exceeds but for a probability of ``error``, by Student's t; nan where the error is."""
    return gain.mean - _distance(gain, error)


def upper_bound(gain: Gain, error: float) -> float:
    """What the true gain stays below but for a probability of ``error``; nan where the error is."""
    return gain.mean + _distance(gain, error)


def interval(gain: Gain, level: float = 0.95) -> Interval:
    """Two-sided, for one candidate and one look at the outlines; nan where the error is."""
    error = (1 - level) / 2
    return Interval(lower_bound(gain, error), upper_bound(gain, error))


def stated(gain: Gain, level: float) -> Interval:
    """`interval`, within what a gain can be."""
    return Interval(*(min(max(bound, -1.0), 1.0) if bound == bound else bound for bound in interval(gain, level)))


def _distance(gain: Gain, error: float) -> float:
    return _quantile(gain.count, error) * gain.error if gain.error else 0.0


@cache
def _quantile(count: int, error: float) -> float:
    if not 0 < error < 1:
        raise ValueError(f"Expected an error probability between 0 and 1, found {error}; give for example 0.05.")
    return float(stdtrit(count - 1, 1 - error)) if count > 1 else float("nan")
