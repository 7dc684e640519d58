"""The row of a mask that has none, as other software saves one that a person has corrected."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from monai_sfda.findings import Findings
from monai_sfda.imageio import MaskReader
from monai_sfda.imageio.header import header_facts
from monai_sfda.mask_file import is_volume
from monai_sfda.prediction.describe import describe_mask
from monai_sfda.prediction.describe_volume import describe_volume
from monai_sfda.prediction.judge import Judge
from monai_sfda.prediction.made_with import UNKNOWN, MadeWith
from monai_sfda.reading.cell_sizes import cell_sizes
from monai_sfda.transforms.nested import refuse_unknown_ids
from monai_sfda.volumes import Grid, read_volume
from monai_sfda.volumes.labels import label_on
from monai_sfda.volumes.reader import sized_by
from monai_sfda.volumes.volume import Volume

__all__ = ["measured_row"]


def measured_row(
    path: Path,
    owner: Mapping[str, Any],
    classes: Mapping[int, str],
    findings: Findings,
    made: MadeWith = UNKNOWN,
) -> dict[str, Any]:
    """The row of a mask file.

    Args:
        path: PNG or NIfTI.
        owner: ``case`` of its image, and perhaps ``image`` (path or paths), ``frame`` and ``kept``.
        classes: class id -> structure.
        findings: what the organ adds.
        made: how the mask that was there before was made.

    Raises:
        ValueError, OSError: if it cannot be read, holds other ids, or does not lie on the voxels of its image.
    """
    case, kept = owner["case"], owner.get("kept")
    if not is_volume(path):
        ids = np.asarray(MaskReader(ids=[0, *classes]).decode(path))
        facts = header_facts(owner["image"]) if "image" in owner else {}
        return describe_mask(
            ids, case, classes, Judge(classes, findings, made.thresholds), findings, kept=kept, **facts
        )
    mask = read_volume(path, ids=True)
    refuse_unknown_ids(mask.values, [0, *classes], case)
    volume = _on_image(mask, owner, made)
    axes = list(Grid.of(volume, made.spacing).axes)
    return describe_volume(
        volume.values.astype(np.uint8).transpose(axes),
        case,
        classes,
        Judge(classes, findings, made.thresholds, volumes=True),
        findings,
        spacing=cell_sizes(volume.affine, axes) if volume.measured else None,
        kept=kept,
    )


def _on_image(mask: Volume, owner: Mapping[str, Any], made: MadeWith) -> Volume:
    """The mask on the voxels of its image, whose size counts: other software may have lost it, or made one up."""
    if "image" not in owner:
        return mask
    image = read_volume(owner["image"], owner.get("frame"))
    ids = label_on(image, mask)
    if not image.sized:
        image = mask if made.pixel_size is None else sized_by(image, made.pixel_size)
    return image._replace(values=ids)
