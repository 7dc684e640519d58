"""Surface distances: the average in the two conventions that the literature calls by the same name, and the largest.

Let the *directed* distances be those from each edge pixel of one mask to the nearest edge pixel of the other.

- ``assd_pooled``: the mean over the edge pixels of both masks together. MONAI's
  ``SurfaceDistanceMetric(symmetric=True)`` and medpy >= 0.5.
- ``assd_mean_of_directed``: the mean of the two directed means, each mask counting one half. medpy <= 0.4, on which
  the DPL and CBMT tables rest.

They are equal only where both edges have as many pixels or the same mean; tables must not mix them.

HD95, the Hausdorff distance without its largest twentieth, is the larger one of the two 95th percentiles (MONAI's
``HausdorffDistanceMetric(percentile=95)``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from monai.metrics import get_mask_edges, get_surface_distance
from torch import Tensor

from monai_sfda.metrics.masks import binary_masks
from monai_sfda.metrics.spacing import spacing_per_axis

__all__ = ["surface_distances"]

HD95 = 95


def surface_distances(pred: Tensor, reference: Tensor, *, spacing: float | Sequence[float] = 1.0) -> dict[str, Tensor]:
    """All distances between the surfaces of each case and structure, of which the costly part is done once.

    Edges are the pixels that a binary erosion (4 neighbours in 2D, 6 in 3D) removes, pixels at the border of the
    image among them.

    Args:
        pred: (B, K, *S), 0 or 1, in 2D or 3D; the first channel counts like any other.
        reference: (B, K, *S), 0 or 1.
        spacing: size of a pixel, one number or one per axis.

    Returns:
        ``assd_pooled``, ``assd_mean_of_directed`` and ``hd95`` -> (B, K) float64, in the unit of ``spacing`` (pixels
        when it is 1), nan where a mask is empty.

    Raises:
        ValueError: if the spacing does not fit, or the masks are not binary or differ in shape.
    """
    pred, reference = binary_masks(pred, reference)
    size = spacing_per_axis(spacing, axes=pred.ndim - 2)
    # On the CPU whatever the device: the search tree over edge pixels is exact and does not depend on the machine.
    pairs = pred.cpu().numpy(), reference.cpu().numpy()
    result = {name: torch.full(pred.shape[:2], torch.nan, dtype=torch.float64) for name in MEASURES}
    for b, k in np.ndindex(*pred.shape[:2]):
        if pairs[0][b, k].any() and pairs[1][b, k].any():
            there, back = _directed(pairs[0][b, k], pairs[1][b, k], size)
            for name, measure in MEASURES.items():
                result[name][b, k] = measure(there, back)
    return result


def _directed(pred: np.ndarray, reference: np.ndarray, spacing: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distances from each edge pixel of one mask (*S) to the edge of the other, both ways."""
    edges = get_mask_edges(pred, reference)
    there = get_surface_distance(edges[0], edges[1], spacing=spacing)
    back = get_surface_distance(edges[1], edges[0], spacing=spacing)
    return np.asarray(there, dtype=np.float64), np.asarray(back, dtype=np.float64)


def _pooled(there: np.ndarray, back: np.ndarray) -> float:
    return float(np.concatenate([there, back]).mean())


def _mean_of_directed(there: np.ndarray, back: np.ndarray) -> float:
    return float((there.mean() + back.mean()) / 2)


def _hd95(there: np.ndarray, back: np.ndarray) -> float:
    return float(max(np.percentile(there, HD95), np.percentile(back, HD95)))


MEASURES: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "assd_pooled": _pooled,
    "assd_mean_of_directed": _mean_of_directed,
    "hd95": _hd95,
}
