"""Write the results of an adaptation: an adapted bundle, a report and a verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import ignite.distributed as idist
from monai.engines import Trainer
from torch import nn

from monai_sfda.delivery.bundle import write_bundle
from monai_sfda.delivery.change import summarise_change
from monai_sfda.delivery.compare import Comparison
from monai_sfda.delivery.limits import Limits
from monai_sfda.delivery.report import write_report
from monai_sfda.delivery.verdict import judge
from monai_sfda.files import sha256
from monai_sfda.json_file import read_json

__all__ = ["Delivery"]

PACKAGES = ("monai-sfda", "monai", "torch", "pytorch-ignite", "numpy")


class Delivery:
    """Compare source and adapted network, judge, and write ``bundle/``, ``report.json`` and ``report.html``.

    Args:
        bundle_root: the bundle that was adapted.
        output_dir: folder of the run.
        checkpoint: weights that adaptation started from.
        adapted: the network to deliver (the teacher, for CBMT).
        comparison: both networks, ready to run.
        loader: the images, without labels, in a fixed order.
        trainer: the finished engine.
        method: ``name``, ``citation``, ``reconstruction`` (rebuilt without the authors' code), ``uses_target_tags``
            (image-level labels of the target went in) and ``uses_source`` (labelled source images did) of the recipe.
        settings: plain values of the run.
        parts: how the parts of the recipe were set up, as `monai_sfda.fingerprint.setup_of` tells it.
        history: object with ``rows``, one per epoch.
        skipped: images that could not be read, each ``case`` and ``reason``.
        limits: thresholds of the verdict that differ from the defaults.
        source_masks: what is known of the masks that the source network learned from, see `source_masks`.
        redefine: see `write_bundle`.
        sampled: what the run saw of the volumes, such as "240 slices of 24 volumes"; None for pictures.
    """

    def __init__(
        self,
        *,
        bundle_root: str,
        output_dir: str,
        checkpoint: str,
        adapted: nn.Module,
        comparison: Comparison,
        loader: Iterable,
        trainer: Trainer,
        method: Mapping[str, Any],
        settings: Mapping[str, Any],
        parts: Mapping[str, Any],
        history: Any,
        skipped: Sequence[Mapping[str, str]] = (),
        limits: Mapping[str, float] | None = None,
        source_masks: Mapping[str, Any] | None = None,
        redefine: Callable[[dict], dict] | None = None,
        sampled: str | None = None,
    ) -> None:
        self.bundle_root, self.output, self.checkpoint = Path(bundle_root), Path(output_dir), checkpoint
        self.adapted, self.comparison, self.loader, self.trainer = adapted, comparison, loader, trainer
        self.method, self.settings, self.parts, self.history = dict(method), dict(settings), dict(parts), history
        self.skipped, self.limits = list(skipped), Limits.of(limits or {})
        self.source_masks, self.redefine, self.sampled = dict(source_masks or {}), redefine, sampled

    def __call__(self) -> Path | None:
        """Write everything; returns the path of report.html, or None on any process but the first."""
        if idist.get_rank() > 0:
            return None
        rows = self.comparison.run(self.loader, self.trainer.state.device).rows
        shares = self.source_masks.get("shares")
        verdict = judge(rows, limits=self.limits, mask_shares=shares)
        images = len({row.case for row in rows})
        source_sum = sha256(self.checkpoint)
        record = {
            "method": self.method["name"],
            "uses_target_tags": self.method["uses_target_tags"],
            "uses_source": self.method.get("uses_source", False),
            "settings": self.settings,
            "parts": self.parts,
            "images": images,
            **({"sampled": self.sampled} if self.sampled else {}),
            "verdict": {key: verdict[key] for key in ("decision", "sentence")},
            "source_sha256": source_sum,
            "software": {name: version(name) for name in PACKAGES},
        }
        target = self.output / "bundle"
        cutoffs = self._cutoffs()
        bundle = write_bundle(self.bundle_root, target, self.adapted, record, cutoffs=cutoffs, redefine=self.redefine)
        report = {
            **record,
            **self._described(),
            "method": self.method,
            "verdict": verdict,
            "structures": list(self.comparison.structures),
            "data": {"images": images, "sampled": self.sampled, "skipped": self.skipped},
            "epochs_done": len(self.history.rows),
            "change": summarise_change(rows, mask_shares=shares),
            "source_masks": self.source_masks,
            "time": self._time(images),
            "weights": {"source_sha256": source_sum, "adapted_sha256": sha256(bundle / "models" / "model.pt")},
            "next_steps": self._next_steps(verdict["decision"]),
        }
        del report["source_sha256"]
        return write_report(self.output, report, history=self.history.rows, pictures=self.comparison.pictures)

    def _cutoffs(self) -> dict[str, float]:
        cutoff = self.settings.get("cutoff", {})
        return dict(cutoff) if isinstance(cutoff, Mapping) else dict.fromkeys(self.comparison.structures, cutoff)

    def _described(self) -> dict[str, str]:
        """Title of the report and, where the metadata of the bundle have one, their caution."""
        metadata = read_json(self.bundle_root / "configs" / "metadata.json")
        title = f"{metadata.get('name', self.bundle_root.resolve().name)}: adaptation report"
        return {"title": title} | ({"caution": metadata["caution"]} if "caution" in metadata else {})

    def _next_steps(self, decision: str) -> list[str]:
        if decision == "keep-source":
            return ["monai-sfda predict SOURCE_BUNDLE IMAGES --output MASKS"]
        place = self.output.name if self.output.is_absolute() else self.output.as_posix()  # reports travel
        return [
            "monai-sfda evaluate SOURCE_BUNDLE LABELLED --output SCORES/source",
            f"monai-sfda evaluate {place}/bundle LABELLED --output SCORES/adapted",
            f"monai-sfda predict {place}/bundle IMAGES --output MASKS",
        ]

    def _time(self, images: int) -> dict[str, float]:
        """Of this process only: a continued run does not know how long the first part took."""
        seconds = self.trainer.state.times.get("COMPLETED") or 0.0
        if not seconds:
            return {}
        last = self.trainer.state.times["EPOCH_COMPLETED"] or 0.0
        rate = {"images_per_second": images / last} if last else {}  # the last epoch is never of an earlier part
        return {"seconds": seconds, "last_epoch_seconds": last, **rate}
