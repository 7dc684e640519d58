"""Label maps at several cut-offs from one pass of the network."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

from monai.transforms import Transform

from monai_sfda.functional import Cutoff
from monai_sfda.transforms import LabelMapd, SaveMaskd

__all__ = ["MasksAtd"]


class MasksAtd(Transform):
    """Save the label map of an item once more for each further cut-off; the item stays as it is.

    Args:
        cutoffs: name of a folder -> cut-off, see `LabelMapd`.
        head: ``"sigmoid"`` or ``"softmax"``.
        nested: whether each structure lies in the one before.
        output_dir: where the folders are.

    The item holds ``prob`` (K, h, w) in [0, 1], ``image`` as `monai_sfda.imageio.ReadPhotod` leaves it, and ``output``,
    the relative path of the mask.
    """

    def __init__(self, cutoffs: Mapping[str, Cutoff], *, head: str, nested: bool, output_dir: str | Path) -> None:
        self.steps = [
            (
                LabelMapd("pred", cutoff=cutoff, head=head, nested=nested),
                SaveMaskd("pred", output_dir=Path(output_dir) / name),
            )
            for name, cutoff in cutoffs.items()
        ]

    def __call__(self, item: Mapping[Hashable, Any]) -> Mapping[Hashable, Any]:
        for decide, save in self.steps:
            save(decide({"pred": item["prob"], "image": item["image"], "output": item["output"]}))
        return item
