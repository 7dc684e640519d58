"""One value, its limit, and whether it passed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from monai_sfda.digits import in_digits

__all__ = ["at_least", "at_most", "check"]


def at_most(
    name: str, value: float, limit: float, collapse: float = math.inf, *, worst: float, **about: Any
) -> dict[str, Any]:
    """A check of a value that is told above ``limit``, and is a collapse above ``collapse``."""
    text = f"at most {limit:g}" + (f", collapse above {collapse:g}" if math.isfinite(collapse) else "")
    fatal = value > collapse
    return check(
        name, value, [limit, collapse], limit=text, passed=value <= limit, can_fail=worst > limit, fatal=fatal, **about
    )


def at_least(name: str, value: float, limit: float, *, fatal: bool = False, **about: Any) -> dict[str, Any]:
    """A check of a value that is told below ``limit``, or is a collapse there."""
    return check(
        name,
        value,
        [limit],
        limit=f"at least {limit:g}",
        passed=value >= limit,
        can_fail=limit > 0,
        fatal=fatal,
        **about,
    )


def check(
    name: str,
    value: float,
    bounds: Sequence[float],
    *,
    limit: str,
    passed: bool,
    can_fail: bool,
    fatal: bool,
    meaning: str,
    finding: str,
) -> dict[str, Any]:
    """A row of the report, see `check_structure`; ``bounds`` are the numbers in ``limit``."""
    known = math.isfinite(value)
    judged = bool(passed) if known and can_fail else None
    return {
        "name": name,
        "value": value if known else None,
        "text": in_digits(value, 4, limits=bounds) if known else None,
        "limit": limit,
        "passed": judged,
        "fatal": fatal,
        "meaning": meaning,
        "finding": finding if judged is False else None,
    }
