"""Masks of a prediction as DICOM Segmentation objects, one for each image or series."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from monai_sfda.files import paths_of
from monai_sfda.findings import Findings
from monai_sfda.json_file import read_json
from monai_sfda.prediction.convert_masks import Item, convert_masks
from monai_sfda.prediction.dicom_seg import dicom_seg
from monai_sfda.prediction.dicom_seg_series import dicom_seg_of_series
from monai_sfda.prediction.no_findings import NO_FINDINGS

__all__ = ["write_dicom_seg"]


def write_dicom_seg(
    folder: Path,
    rows: Iterable[Mapping[str, Any]],
    images: Mapping[str, Item],
    classes: Mapping[int, str],
    findings: Findings = NO_FINDINGS,
    *,
    model: tuple[str, str],
) -> None:
    """Write ``folder/dicom_seg/<path of the mask>.dcm`` of every row with a DICOM image or series, see `convert_masks`.

    Args:
        folder: output of a prediction, with its ``masks``, and ``masks_of.json``, which tells the weights.
        rows: with ``file`` and ``mask``.
        images: file -> its item, with the path or paths of the ``image``.
        classes: id -> name, without background.
        findings: what the organ adds.
        model: name and version of the bundle.
    """
    record = folder / "masks_of.json"
    weights = read_json(record).get("weights", "unknown") if record.exists() else "unknown"
    about: Any = {"classes": classes, "findings": findings, "model": model, "weights": weights}

    def convert(item: Item, ids: np.ndarray) -> bytes:
        paths = paths_of(item["image"])
        if ids.ndim == 2:
            return dicom_seg(Path(paths[0]), ids, **about)
        return dicom_seg_of_series(paths, ids, frame=item.get("frame"), **about)

    convert_masks(folder, "dicom_seg", ".dcm", rows, images, convert)
