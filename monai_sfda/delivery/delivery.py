"""Write the results of an adaptation: an adapted bundle, a report and a verdict."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import ignite.distributed as idist
from monai.bundle import ConfigParser
from monai.engines import Trainer
from torch import nn

from monai_sfda.delivery.change import summarise_change
from monai_sfda.delivery.compare import Comparison
from monai_sfda.delivery.limits import Limits
from monai_sfda.delivery.report import write_report
from monai_sfda.delivery.verdict import judge
from monai_sfda.files import save_tensors, sha256, whole_file
from monai_sfda.passport import NAME as PASSPORT
from monai_sfda.passport import write_passport

__all__ = ["Delivery", "define_network", "write_bundle"]

PACKAGES = ("monai-sfda", "monai", "torch", "pytorch-ignite", "numpy")


def write_bundle(
    source: str | os.PathLike,
    target: str | os.PathLike,
    network: nn.Module,
    record: Mapping,
    *,
    cutoffs: Mapping[str, float] | None = None,
    redefine: Callable[[dict], dict] | None = None,
) -> Path:
    """Copy a bundle with new weights and a record of how they were made, completely or not at all.

    Args:
        source: bundle folder; its outputs (``eval``), exported weights (``*.ts``, ``*.onnx``), passport, prototypes and
            curves of training stay behind, for they are not of the new weights.
        target: folder to write; one that is there is replaced.
        network: gives ``models/model.pt`` (bare state dict, float32, on the CPU).
        record: plain values, kept as ``adaptation`` in the metadata; its ``method`` and ``images`` are told where the
            bundle describes its weights, as unlabelled ones, or as outlined ones where it has ``outlined`` in their
            place; ``image_size`` of its ``settings`` replaces that of the configs, and so does a
            ``cutoff`` that is plain there.
        cutoffs: structure -> cut-off that the run used, which the passport of the new weights keeps.
        redefine: ``network_def`` of the bundle -> the one that builds ``network``, if that is another.
    """
    source, target = Path(source), Path(target)
    draft = target.with_name(target.name + ".part")
    shutil.rmtree(draft, ignore_errors=True)
    unwanted = (
        "eval",
        "__pycache__",
        "*.ts",
        "*.onnx",
        "*.part",
        "model_*.pt",
        "training.*",
        "prototypes.pt",
        PASSPORT,
    )
    shutil.copytree(source, draft, ignore=shutil.ignore_patterns(*unwanted))
    (draft / "models").mkdir(exist_ok=True)
    save_tensors({name: tensor.cpu() for name, tensor in network.state_dict().items()}, draft / "models" / "model.pt")
    if cutoffs:
        write_passport(draft / "models" / "model.pt", cutoff=dict(cutoffs), cutoff_of="the source network")
    for path in (draft / "configs").glob("*.json"):
        config = json.loads(path.read_text())
        changed = config | _adapted_values(config, record.get("settings", {}), redefine)
        if changed != config:
            path.write_text(json.dumps(changed, indent=4) + "\n")
    _say_adapted(draft, record)
    shutil.rmtree(target, ignore_errors=True)
    os.replace(draft, target)
    return target


def _say_adapted(bundle: Path, record: Mapping) -> None:
    """Metadata, page and data licence of the source weights must not be read as those of the adapted ones."""
    event = f"adapted with {record['method']} to {_what(record)} of the user's own"
    if record.get("uses_source"):
        event += ", with labelled source images at hand"
    file = bundle / "configs" / "metadata.json"
    metadata = json.loads(file.read_text())
    version = f"{metadata['version']}{'.' if '+' in metadata['version'] else '+'}{record['method'].replace('_', '.')}"
    metadata |= {
        "version": version,
        "changelog": {version: event, **metadata.get("changelog", {})},
        "data_source": f"{event}, not described here; before: {metadata.get('data_source', 'unknown')}",
        "eval_metrics": {},
        "intended_use": "Research only. Adapted weights: read the report of the adaptation first.",
        "adaptation": dict(record),
    }
    file.write_text(json.dumps(metadata, indent=4) + "\n")
    for page in (bundle / "docs" / "README.md", bundle / "docs" / "data_license.txt"):
        if page.exists():
            note = f"ADAPTED: models/model.pt was {event}. The terms of those images apply to it as well."
            rest = "The text below describes the weights before adaptation, including their data and performance."
            page.write_text(f"{note}\n{rest}\n\n{page.read_text()}")


def _what(record: Mapping) -> str:
    if "outlined" in record:
        return f"{record['outlined']} outlined images"
    images = f"{record['images']} unlabelled images"
    return images if "sampled" not in record else f"{record['sampled']} without labels"


def define_network(bundle: str | os.PathLike, overrides: Mapping[str, Any]) -> None:
    """Write what was given for ``network_def`` into the configs of a bundle, whose weights are of such a network."""
    given = {name: value for name, value in overrides.items() if re.split("#|::", name)[0] == "network_def"}
    for path in Path(bundle, "configs").glob("*.json") if given else ():
        parser = ConfigParser(json.loads(path.read_text()))
        if "network_def" in parser:
            parser.update(given)
            with whole_file(path) as draft:
                draft.write_text(json.dumps(parser.get(), indent=4) + "\n")


def _adapted_values(config: dict, settings: Mapping, redefine: Callable[[dict], dict] | None) -> dict:
    """What the run used where the bundle has another value: prediction must see images as adaptation did."""
    values = {key: settings[key] for key in ("image_size", "cutoff") if key in config and key in settings}
    if isinstance(config.get("cutoff"), str):  # an expression, which reads the passport
        values.pop("cutoff", None)
    if redefine is not None and "network_def" in config:
        values["network_def"] = redefine(config["network_def"])
    return values


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
        metadata = json.loads((self.bundle_root / "configs" / "metadata.json").read_text())
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
