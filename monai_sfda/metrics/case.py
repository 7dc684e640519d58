"""All scores of one case."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor

from monai_sfda.metrics.dice import dice_score
from monai_sfda.metrics.surface import surface_distances

__all__ = ["MEASURES", "score_case"]

MEASURES = {
    "dice": "2|P and G| / (|P| + |G|), 0 to 1; skipped where both masks are empty, 0 where one is",
    "dice_smoothed": "(2|P and G| + 1) / (|P| + |G| + 1), 0 to 1, as in the DPL and CBMT tables; never skipped",
    "assd_pooled": "average symmetric surface distance, mean over the edge pixels of both masks together "
    "(MONAI, medpy >= 0.5); skipped where a mask is empty",
    "assd_mean_of_directed": "average symmetric surface distance, mean of the two directed means "
    "(medpy <= 0.4, DPL and CBMT tables); skipped where a mask is empty",
    "hd95": "the larger one of the 95th percentiles of the directed distances between the edges (MONAI); skipped where "
    "a mask is empty",
    "pred_area": "pixels of the prediction, voxels of a volume",
    "reference_area": "pixels of the reference, voxels of a volume",
    "empty_pred": "cases in which nothing was predicted",
    "empty_reference": "cases in which the reference has nothing",
    "missed": "cases in which nothing was predicted where the reference has something",
}
"""What ``score_case`` says of each structure, in plain words."""


def score_case(
    pred: Tensor, reference: Tensor, *, structures: Sequence[str], spacing: float | Sequence[float] | None = 1.0
) -> dict[str, dict[str, float | int | bool]]:
    """Score one case: structure -> measure -> value, measures as in ``MEASURES``, nan for what cannot be measured.

    Args:
        pred: (K, *S), 0 or 1.
        reference: (K, *S), 0 or 1.
        structures: K names, in channel order.
        spacing: size of a pixel, one number or one per axis; surface distances are in its unit. None: it is not known,
            and they are nan.

    Raises:
        ValueError: if the number of channels is not K, or the masks do not fit each other or are not binary.
    """
    for name, mask in (("prediction", pred), ("reference", reference)):
        if len(mask) != len(structures):
            raise ValueError(
                f"Expected a {name} with {len(structures)} channels ({', '.join(structures)}), found shape "
                f"{tuple(mask.shape)}; split class ids into one channel per structure."
            )
    pred, reference = pred[None], reference[None]
    distances = surface_distances(pred, reference, spacing=1.0 if spacing is None else spacing)
    columns = {
        "dice": dice_score(pred, reference)[0].tolist(),
        "dice_smoothed": dice_score(pred, reference, smooth=1.0)[0].tolist(),
        **{name: [math.nan if spacing is None else v for v in value[0].tolist()] for name, value in distances.items()},
        "pred_area": _area(pred),
        "reference_area": _area(reference),
    }
    columns["empty_pred"] = [area == 0 for area in columns["pred_area"]]
    columns["empty_reference"] = [area == 0 for area in columns["reference_area"]]
    empty = zip(columns["empty_pred"], columns["empty_reference"], strict=True)
    columns["missed"] = [pred and not reference for pred, reference in empty]
    return {structure: {name: column[k] for name, column in columns.items()} for k, structure in enumerate(structures)}


def _area(mask: Tensor) -> list[int]:
    return [int(area) for area in mask[0].flatten(1).sum(-1)]
