"""How many processors there are to work with."""

from __future__ import annotations

import os

__all__ = ["count_processors"]


def count_processors() -> int:
    """Those that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1
