"""Refuse labelled images that lack a class, before anything is learnt from them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["expect_every_class"]


def expect_every_class(items: Iterable[Mapping[str, Any]], channels: Mapping[str, int]) -> None:
    """Look at labels until each class was seen in one; usually the first image shows them all.

    Args:
        items: each with a ``label`` (K, *S) of 0 and 1.
        channels: name -> channel of every class.

    Raises:
        ValueError: if no item shows one of the classes: a network would learn to mark it nowhere.
    """
    absent = dict(channels)
    for item in items:
        absent = {name: channel for name, channel in absent.items() if not item["label"][channel].any()}
        if not absent:
            return
    raise ValueError(
        f"Expected every class in the labelled source images, found none of {', '.join(absent)}; add images that show "
        "it, or check that the masks hold class ids as grey levels."
    )
