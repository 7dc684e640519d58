"""Surface distance as a metric of an engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ignite.engine import Engine
from ignite.metrics.metric import reinit__is_reduced
from monai.handlers import IgniteMetricHandler, from_engine
from torch import Tensor

from monai_sfda.metrics import SymmetricSurfaceDistanceMetric, affine_spacing

__all__ = ["SymmetricSurfaceDistance"]


class SymmetricSurfaceDistance(IgniteMetricHandler):
    """Average symmetric surface distance over the cases of a run, every channel included.

    ``engine.state.metrics`` receives the value under the name it is attached with, and under ``<name>_skipped`` the
    pairs of masks left out because one was empty. The value is nan if all were. Lower is better, while MONAI takes
    a key metric for higher is better: set the engine's ``metric_cmp_fn``.

    Args:
        convention: ``"pooled"`` or ``"mean_of_directed"``, see ``monai_sfda.metrics.surface``.
        spacing: size of a pixel, one number or one per axis, or ``"affine"``: that of each reference.
        reduction: as in MONAI's metrics.
        output_transform: engine output -> (predictions, references), lists of (K, *S) or (B, K, *S), 0 or 1.
        save_details: keep the value of each case and channel in ``engine.state.metric_details``.

    Raises:
        ValueError: if the convention is unknown.
    """

    def __init__(
        self,
        convention: str,
        *,
        spacing: float | Sequence[float] | str = 1.0,
        reduction: str = "mean",
        output_transform: Callable = from_engine(["pred", "label"]),  # noqa: B008 (has no state)
        save_details: bool = True,
    ) -> None:
        metric = SymmetricSurfaceDistanceMetric(convention, reduction=reduction)
        super().__init__(metric_fn=metric, output_transform=output_transform, save_details=save_details)
        self.spacing = spacing

    @reinit__is_reduced
    def update(self, output: Sequence[Sequence[Tensor]]) -> None:
        """Add the cases of one iteration; ``output`` is (predictions, references)."""
        pred, reference = output
        spacing = affine_spacing(list(reference)) if self.spacing == "affine" else self.spacing
        self.metric_fn(pred, reference, spacing=spacing)

    def completed(self, engine: Engine, name: str) -> None:
        """Write the value and the number of pairs it leaves out to ``engine.state.metrics``."""
        super().completed(engine, name)
        engine.state.metrics[f"{name}_skipped"] = self.metric_fn.skipped  # type: ignore[attr-defined]
