"""Label maps at several cut-offs from one pass of the network."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

from monai.transforms import Transform

from monai_sfda.functional import Cutoff
from monai_sfda.transforms import LabelMapd, SaveMaskd
from monai_sfda.volumes import LargestPieced, SaveVolumeMaskd, VolumeLabelMapd

__all__ = ["MasksAtd", "VolumeMasksAtd"]


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
        self.saving = [
            self.steps(Path(output_dir) / name, cutoff=cutoff, head=head, nested=nested)
            for name, cutoff in cutoffs.items()
        ]

    def steps(self, folder: Path, **how: Any) -> list[Transform]:
        """From probabilities to a mask in a folder; ``how`` as of a `LabelMapd`."""
        return [LabelMapd("pred", **how), SaveMaskd("pred", output_dir=folder)]

    def __call__(self, item: Mapping[Hashable, Any]) -> Mapping[Hashable, Any]:
        for steps in self.saving:
            again: Any = {"pred": item["prob"], "image": item["image"], "output": item["output"]}
            for step in steps:
                again = step(again)
        return item


class VolumeMasksAtd(MasksAtd):
    """The same for volumes, whose ``prob`` is (K, slices, rows, columns), and ``image`` as `ReadVolumed` leaves it.

    Args:
        cutoffs, head, nested, output_dir: as of `MasksAtd`.
        largest_piece: whether to keep one piece of each structure.
    """

    def __init__(self, cutoffs: Mapping[str, Cutoff], *, largest_piece: bool = False, **how: Any) -> None:
        self.largest_piece = largest_piece
        super().__init__(cutoffs, **how)

    def steps(self, folder: Path, **how: Any) -> list[Transform]:
        pieces = [LargestPieced("pred")] if self.largest_piece else []
        return [VolumeLabelMapd("pred", **how), *pieces, SaveVolumeMaskd("pred", output_dir=folder)]
