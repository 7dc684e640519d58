"""From a folder to a datalist of volumes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from monai_sfda.data import find_images, find_pairs, mask_names

__all__ = ["find_volume_pairs", "find_volumes"]

SUFFIX = ".nii.gz"
"""Of the masks of volumes."""


def find_volumes(folder: str | Path, *, exclude: Iterable[str | Path] = ()) -> list[dict[str, Any]]:
    """List the volumes of a folder tree, sorted by case; items as `monai_sfda.data.find_images` makes them.

    Args:
        folder: the folder.
        exclude: files or folders inside it to leave out.
    """
    return _with_outputs(find_images(folder, exclude=exclude))


def find_volume_pairs(dataset: str | Path) -> list[dict[str, Any]]:
    """List the labelled volumes of ``DATASET/{image,mask}/NAME.nii.gz``, sorted by case; items have a ``label`` too."""
    return _with_outputs(find_pairs(dataset))


def _with_outputs(items: list[dict[str, str]]) -> list[dict[str, Any]]:
    outputs = mask_names([item["case"] for item in items], suffix=SUFFIX)
    return [{**item, "output": outputs[item["case"]]} for item in items]
