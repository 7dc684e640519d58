"""Numbers as text that stands on the same side of a limit as the number itself."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["in_digits"]

EXACT = 17
"""Digits in which no two floating-point numbers look alike."""


def in_digits(value: float, digits: int, *, limits: Iterable[float] = (), kind: str = "g") -> str:
    """``value`` in ``digits`` digits, and in more if rounding would move it to a limit, or across one.

    Args:
        value: any number.
        digits: as many as suffice for reading, as in Python's format specifications.
        limits: numbers that the value is compared with.
        kind: ``"g"`` counts significant digits, ``"f"`` those after the point.

    >>> in_digits(0.7962, 2, kind="f"), in_digits(0.7962, 2, kind="f", limits=[0.8])
    ('0.80', '0.796')
    """
    limits = list(limits)
    texts = (f"{value:.{count}{kind}}" for count in range(digits, EXACT))
    alike = (text for text in texts if all(_side(float(text), limit) == _side(value, limit) for limit in limits))
    return next(alike, f"{value:.{EXACT}{kind}}")


def _side(value: float, limit: float) -> int:
    return (value > limit) - (value < limit)
