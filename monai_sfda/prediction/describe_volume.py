"""Describe the prediction of one volume, as a step of a bundle's postprocessing."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
from monai.utils import convert_to_tensor

from monai_sfda.findings import Findings, Prediction
from monai_sfda.pieces import bounding_box, pieces
from monai_sfda.prediction.describe import DescribeCased, finished_row
from monai_sfda.prediction.geometry import structure_masks
from monai_sfda.prediction.judge import Judge
from monai_sfda.prediction.no_findings import NO_FINDINGS
from monai_sfda.reading.cell_sizes import cell_sizes

__all__ = ["DescribeVolumed", "describe_volume", "measure_volume"]

MM3_PER_ML = 1000.0


class DescribeVolumed(DescribeCased):
    """Put ``row`` into the item, as a `DescribeCased` does for a picture: numbers, flags and status of one volume.

    It reads the label map (1, X, Y, Z), as `SaveVolumeMaskd` takes it, of its metadata what `ReadVolumed` says of the
    volume, and what is there of ``case``, ``prob`` (K, slices, rows, columns), ``flip_agreement`` and ``kept``.
    Arguments are those of a `DescribeCased`. Brightness, contrast and sharpness are left out: grey levels of a volume
    have no scale of their own, and its rule of intensity brings all of them to the same range.
    """

    volumes = True

    def describe(self, item: Mapping[Hashable, Any], key: Hashable) -> dict[str, Any]:
        """The row of one item."""
        numbers: dict[str, Any] = {}
        if item.get(self.prob_key) is not None:
            numbers = self.probabilities(convert_to_tensor(item[self.prob_key], track_meta=False))[1]
        numbers |= self.agreement(item)
        about, axes = item[key].meta, list(item[key].meta["grid"].axes)
        return describe_volume(
            item[key].numpy()[0].transpose(axes),
            str(item.get("case", "")),
            self.classes,
            self.judge,
            self.findings,
            numbers,
            spacing=cell_sizes(item[key].affine.numpy(), axes) if about["measured"] else None,
            kept=item.get("kept"),
        )


def describe_volume(
    ids: np.ndarray,
    case: str,
    classes: Mapping[int, str],
    judge: Judge,
    findings: Findings = NO_FINDINGS,
    numbers: Mapping[str, Any] | None = None,
    *,
    spacing: Sequence[float] | None = None,
    kept: str | None = None,
) -> dict[str, Any]:
    """The row of a label map (Z, Y, X), slices first, and of further ``numbers``, see `Prediction`.

    Args:
        spacing: of slices, rows and columns in mm, where known; their product is the volume of a voxel, see
            `monai_sfda.reading.cell_sizes`.
    """
    prediction = Prediction(ids, bounding_box(ids != 0), case, kept=kept, spacing=spacing)
    row: dict[str, Any] = {"file": case, "status": "ok", "flags": {}, "slices": len(ids)}
    row |= findings.columns(prediction)
    row |= measure_volume(structure_masks(ids, classes, findings.inside), spacing)
    return finished_row(row | dict(numbers or {}), judge)


def measure_volume(masks: Mapping[str, np.ndarray], spacing: Sequence[float] | None = None) -> dict[str, Any]:
    """Volumes, slices and pieces of each structure that `docs/columns.md` lists; None where a number has no meaning.

    Args:
        masks: name -> mask (Z, Y, X), slices first.
        spacing: as in `describe_volume`.
    """
    row: dict[str, Any] = {}
    for name, mask in masks.items():
        column = name.replace(" ", "_")
        box = bounding_box(mask)
        inside = mask[box]
        voxels = int(np.count_nonzero(inside))
        ml = None if spacing is None else voxels * float(np.prod(spacing)) / MM3_PER_ML
        found = int(np.count_nonzero(inside.any((1, 2))))
        row |= {f"{column}_ml": ml, f"{column}_voxels": voxels, f"{column}_slices": found}
        row[f"{column}_empty_slices"] = len(inside) - found
        row[f"{column}_border_voxels"] = _on_border(mask, box)
        row[f"{column}_pieces"], row[f"{column}_largest_piece"] = pieces(inside)
    return row


def _on_border(mask: np.ndarray, box: tuple[slice, ...]) -> int:
    """Voxels in the first or last row or column of their slices."""
    slices, *plane = box
    inner = tuple(
        slice(max(1, side.start), min(side.stop, size - 1)) for side, size in zip(plane, mask.shape[1:], strict=True)
    )
    return int(np.count_nonzero(mask[box]) - np.count_nonzero(mask[(slices, *inner)]))
