"""Describe the prediction of one volume, as a step of a bundle's postprocessing."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
from monai.utils import convert_to_tensor
from nibabel.affines import voxel_sizes

from monai_sfda.findings import Findings, Prediction
from monai_sfda.pieces import bounding_box, pieces
from monai_sfda.prediction.describe import DescribeCased, finished_row
from monai_sfda.prediction.geometry import structure_masks
from monai_sfda.prediction.judge import Judge
from monai_sfda.prediction.no_findings import NO_FINDINGS

__all__ = ["DescribeVolumed", "describe_volume", "measure_volume"]

MM3_PER_ML = 1000.0


class DescribeVolumed(DescribeCased):
    """Put ``row`` into the item, as a `DescribeCased` does for a picture: numbers, flags and status of one volume.

    It reads the label map (1, X, Y, Z) and of its metadata what `ReadVolumed` says of the volume, and what is there of
    ``case``, ``prob`` (K, slices, rows, columns), ``flip_agreement`` and ``kept``. Arguments are those of a
    `DescribeCased`. Brightness, contrast and sharpness are left out: a volume has no scale of grey levels of its own,
    and its rule of intensity brings all of them to the same range.
    """

    volumes = True

    def describe(self, item: Mapping[Hashable, Any], key: Hashable) -> dict[str, Any]:
        """The row of one item."""
        numbers: dict[str, Any] = {}
        if item.get(self.prob_key) is not None:
            numbers = self.probabilities(convert_to_tensor(item[self.prob_key], track_meta=False))[1]
        numbers |= self.agreement(item)
        about = item[key].meta
        return describe_volume(
            item[key].numpy()[0],
            str(item.get("case", "")),
            self.classes,
            self.judge,
            self.findings,
            numbers,
            spacing=voxel_sizes(item[key].affine.numpy()).tolist() if about.get("measured") else None,
            along=about["grid"].axes[0],
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
    along: int,
    spacing: Sequence[float] | None = None,
    kept: str | None = None,
) -> dict[str, Any]:
    """The row of a label map (X, Y, Z) whose slices lie ``along`` an axis, and of further ``numbers``."""
    prediction = Prediction(ids, bounding_box(ids != 0), case, kept=kept, spacing=spacing)
    row: dict[str, Any] = {"file": case, "status": "ok", "flags": {}, "slices": ids.shape[along]}
    row |= findings.columns(prediction)
    row |= measure_volume(structure_masks(ids, classes, findings.inside), along=along, spacing=spacing)
    return finished_row(row | dict(numbers or {}), judge)


def measure_volume(
    masks: Mapping[str, np.ndarray], *, along: int, spacing: Sequence[float] | None = None
) -> dict[str, Any]:
    """Volumes, slices and pieces of each structure that `docs/columns.md` lists; None where a number has no meaning.

    Args:
        masks: name -> mask (X, Y, Z).
        along: axis of the slices.
        spacing: size of a voxel along each axis in mm, where known.
    """
    row: dict[str, Any] = {}
    for name, mask in masks.items():
        column = name.replace(" ", "_")
        box = bounding_box(mask)
        inside = mask[box]
        voxels = int(np.count_nonzero(inside))
        ml = None if spacing is None else voxels * float(np.prod(spacing)) / MM3_PER_ML
        found = int(np.count_nonzero(inside.any(tuple(axis for axis in range(3) if axis != along))))
        row |= {f"{column}_ml": ml, f"{column}_voxels": voxels, f"{column}_slices": found}
        row[f"{column}_empty_slices"] = inside.shape[along] - found
        row[f"{column}_border_voxels"] = _on_border(mask, box, along)
        row[f"{column}_pieces"], row[f"{column}_largest_piece"] = pieces(inside)
    return row


def _on_border(mask: np.ndarray, box: tuple[slice, ...], along: int) -> int:
    """Voxels in the first or last row or column of their slices."""
    inner = tuple(
        slice(None) if axis == along else slice(max(1 - side.start, 0), size - 1 - side.start)
        for axis, (side, size) in enumerate(zip(box, mask.shape, strict=True))
    )
    inside = mask[box]
    return int(np.count_nonzero(inside) - np.count_nonzero(inside[inner]))
