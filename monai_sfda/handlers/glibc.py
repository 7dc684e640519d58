"""Functions of the C library that Python runs on, where it is glibc."""

from __future__ import annotations

import ctypes
from typing import Any

__all__ = ["from_glibc"]


def from_glibc(name: str) -> Any:
    """A function by name; None with another C library."""
    try:
        return getattr(ctypes.CDLL(None), name)
    except (AttributeError, OSError, TypeError):  # on Windows no library goes by None
        return None
