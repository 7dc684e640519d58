"""Colours of indices."""

from __future__ import annotations

import numpy as np

from monai_sfda.reading.stored import Refused

__all__ = ["resolved"]


def resolved(indices: np.ndarray, palette: np.ndarray, name: str) -> np.ndarray:
    """Indices (H, W) of any whole or bool type -> the colours (H, W, 3) of a palette (N, 3).

    Raises:
        ValueError: if an index has no colour, which Pillow would show black.
    """
    if indices.max() >= len(palette):
        raise Refused(
            f"Expected a palette of at least {indices.max() + 1} colours in {name}, found {len(palette)}; export it as "
            "RGB."
        )
    return np.take(palette, indices, axis=0)
