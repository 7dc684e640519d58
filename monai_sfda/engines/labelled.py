"""Get labels of source images from a batch, and hold them against the prediction."""

from __future__ import annotations

from typing import Any

from monai.utils import convert_to_tensor
from torch import Tensor

__all__ = ["check_labels", "check_same_images", "read_labels"]

REMEDY = "give the source as DATASET/{image,mask}/NAME.png, with masks of the classes of this network"


def read_labels(batch: Any) -> Tensor:
    """Labels (B, K, *S) of a batch of source images.

    Raises:
        ValueError: if the batch has no tensor ``label``.
    """
    label = batch.get("label")
    if not isinstance(label, Tensor):
        found = ", ".join(map(repr, batch))
        raise ValueError(f"Expected a tensor 'label' in each batch of source images, found {found}; {REMEDY}.")
    return convert_to_tensor(label, track_meta=False)


def check_labels(label: Tensor, pred: Tensor) -> None:
    """Raises ValueError: unless there is a label of 0 or 1 for each channel and pixel of the prediction."""
    if label.shape != pred.shape:
        raise ValueError(
            f"Expected source labels with the channels and the size of the prediction, {tuple(pred.shape)}, found "
            f"{tuple(label.shape)}; {REMEDY}."
        )
    if wrong := label[(label != 0) & (label != 1)].tolist():
        raise ValueError(f"Expected source labels of 0 and 1 in each channel, found {wrong[0]:g}; {REMEDY}.")


def check_same_images(source: Tensor, target: Tensor) -> None:
    """Raises ValueError: if source and target images differ in channels or size."""
    if source.shape[1:] != target.shape[1:]:
        raise ValueError(
            f"Expected source and target images of one shape (C, *S), found {tuple(source.shape[1:])} and "
            f"{tuple(target.shape[1:])}; read both with the same channels, and resize them to the same size."
        )
