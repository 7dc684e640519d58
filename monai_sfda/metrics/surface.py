"""Surface distances: the average in the two conventions that the literature calls by the same name, and the largest.

Let the *directed* distances be those from each edge pixel of one mask to the nearest edge pixel of the other.

- ``"pooled"``: the mean over the edge pixels of both masks together. MONAI's
  ``SurfaceDistanceMetric(symmetric=True)`` and medpy >= 0.5.
- ``"mean_of_directed"``: the mean of the two directed means, each mask counting one half. medpy <= 0.4, on which
  the DPL and CBMT tables rest.

They are equal only where both edges have as many pixels or the same mean; tables must not mix them.

HD95, the Hausdorff distance without its largest twentieth, is the larger one of the two 95th percentiles (MONAI's
``HausdorffDistanceMetric(percentile=95)``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from monai.metrics import CumulativeIterationMetric, do_metric_reduction, get_mask_edges, get_surface_distance
from torch import Tensor

from monai_sfda.metrics.masks import binary_masks
from monai_sfda.metrics.spacing import Spacing, spacing_per_case

__all__ = ["CONVENTIONS", "SymmetricSurfaceDistanceMetric", "average_symmetric_distance", "surface_distances"]

CONVENTIONS = ("pooled", "mean_of_directed")
HD95 = 95


def average_symmetric_distance(
    pred: Tensor, reference: Tensor, *, conventions: Sequence[str] = CONVENTIONS, spacing: Spacing = 1.0
) -> dict[str, Tensor]:
    """Average symmetric surface distance of each case and structure, in each convention asked for.

    Edges are the pixels that a binary erosion (4 neighbours in 2D, 6 in 3D) removes, pixels at the border of the
    image among them.

    Args:
        pred: (B, K, *S), 0 or 1, in 2D or 3D; the first channel counts like any other.
        reference: (B, K, *S), 0 or 1.
        conventions: names from ``CONVENTIONS``; the costly part is done once for all.
        spacing: size of a pixel: one number, one per axis, or one row per case.

    Returns:
        convention -> (B, K) float64, in the unit of ``spacing`` (pixels when it is 1), nan where a mask is empty.

    Raises:
        ValueError: if a convention is unknown, the spacing does not fit, or the masks are not binary or differ in
            shape.
    """
    for convention in conventions:
        _check_convention(convention)
    return _measured(pred, reference, {name: AVERAGES[name] for name in conventions}, spacing)


def surface_distances(pred: Tensor, reference: Tensor, *, spacing: Spacing = 1.0) -> dict[str, Tensor]:
    """All distances between the surfaces of each case and structure, of which the costly part is done once.

    Args and errors as of `average_symmetric_distance`.

    Returns:
        ``assd_pooled``, ``assd_mean_of_directed`` and ``hd95`` -> (B, K) float64, nan where a mask is empty.
    """
    measures = {f"assd_{name}": average for name, average in AVERAGES.items()} | {"hd95": _hd95}
    return _measured(pred, reference, measures, spacing)


Measure = Callable[[np.ndarray, np.ndarray], float]


def _measured(pred: Tensor, reference: Tensor, measures: Mapping[str, Measure], spacing: Spacing) -> dict[str, Tensor]:
    pred, reference = binary_masks(pred, reference)
    cases, structures = pred.shape[:2]
    size = spacing_per_case(spacing, cases=cases, axes=pred.ndim - 2)
    # On the CPU whatever the device: the search tree over edge pixels is exact and does not depend on the machine.
    pairs = pred.cpu().numpy(), reference.cpu().numpy()
    result = {name: torch.full((cases, structures), torch.nan, dtype=torch.float64) for name in measures}
    for b, k in np.ndindex(cases, structures):
        if pairs[0][b, k].any() and pairs[1][b, k].any():
            there, back = _directed(pairs[0][b, k], pairs[1][b, k], size[b])
            for name, measure in measures.items():
                result[name][b, k] = measure(there, back)
    return result


def _check_convention(name: str) -> None:
    if name not in CONVENTIONS:
        raise ValueError(
            f"Expected a convention among {', '.join(CONVENTIONS)}, found {name!r}; say which average is meant."
        )


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


AVERAGES: dict[str, Measure] = {"pooled": _pooled, "mean_of_directed": _mean_of_directed}


class SymmetricSurfaceDistanceMetric(CumulativeIterationMetric):
    """Average symmetric surface distance, gathered over batches.

    Args:
        convention: ``"pooled"`` or ``"mean_of_directed"``; no default, for the two must not be mixed.
        reduction: as in MONAI's metrics. Empty masks are left out; where nothing is left the result is nan, not
            MONAI's 0, which would be the best possible score.

    Raises:
        ValueError: if the convention is unknown.
    """

    def __init__(self, convention: str, *, reduction: str = "mean") -> None:
        super().__init__()
        _check_convention(convention)
        self.convention = convention
        self.reduction = reduction

    def _compute_tensor(self, y_pred: Tensor, y: Tensor, *, spacing: Spacing = 1.0) -> Tensor:  # type: ignore[override]
        named = average_symmetric_distance(y_pred, y, conventions=[self.convention], spacing=spacing)
        return named[self.convention]

    def _compute_list(self, y_pred, y, *, spacing: Spacing = 1.0) -> Tensor:  # type: ignore[no-untyped-def, override]
        rows = spacing_per_case(spacing, cases=len(y_pred), axes=y_pred[0].ndim - 1).tolist()
        pairs = zip(y_pred, y, rows, strict=True)
        return torch.cat([self._compute_tensor(p[None], r[None], spacing=row) for p, r, row in pairs])

    def aggregate(self, reduction: str | None = None) -> Tensor:
        """Reduce what was gathered, (N, K), as ``reduction`` says; nan where no pair of masks was comparable."""
        value, counted = do_metric_reduction(self.get_buffer(), reduction or self.reduction)
        return torch.where(counted > 0, value, torch.nan)

    @property
    def skipped(self) -> int:
        """Pairs of masks left out because one or both were empty."""
        return int(torch.isnan(self.get_buffer()).sum())
