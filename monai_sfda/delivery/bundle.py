"""An adapted bundle: a copy of another with new weights, and with configs that see images as the run did."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from monai.bundle import ConfigParser
from torch import nn

from monai_sfda.files import save_tensors
from monai_sfda.json_file import read_json, write_json
from monai_sfda.overrides import path_of
from monai_sfda.passport import NAME as PASSPORT
from monai_sfda.passport import write_passport

__all__ = ["NO_PART", "change_configs", "define_network", "write_bundle"]

NO_PART = ("eval", "__pycache__", "*.part", "model_*.pt")
"""What may lie in the folder of a bundle and stays behind in a copy."""
OF_THE_WEIGHTS = ("*.ts", "*.onnx", "training.*", "prototypes.pt", PASSPORT)


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
    shutil.copytree(source, draft, ignore=shutil.ignore_patterns(*NO_PART, *OF_THE_WEIGHTS))
    (draft / "models").mkdir(exist_ok=True)
    save_tensors({name: tensor.cpu() for name, tensor in network.state_dict().items()}, draft / "models" / "model.pt")
    if cutoffs:
        write_passport(draft / "models" / "model.pt", cutoff=dict(cutoffs), cutoff_of="the source network")
    change_configs(draft, lambda config: _adapted_values(config, record.get("settings", {}), redefine))
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
    metadata = read_json(file)
    version = f"{metadata['version']}{'.' if '+' in metadata['version'] else '+'}{record['method'].replace('_', '.')}"
    metadata |= {
        "version": version,
        "changelog": {version: event, **metadata.get("changelog", {})},
        "data_source": f"{event}, not described here; before: {metadata.get('data_source', 'unknown')}",
        "eval_metrics": {},
        "intended_use": "Research only. Adapted weights: read the report of the adaptation first.",
        "adaptation": dict(record),
    }
    write_json(file, metadata, indent=4)
    for page in (bundle / "docs" / "README.md", bundle / "docs" / "data_license.txt"):
        if page.exists():
            note = f"ADAPTED: models/model.pt was {event}. The terms of those images apply to it as well."
            rest = "The text below describes the weights before adaptation, including their data and performance."
            page.write_text(f"{note}\n{rest}\n\n{page.read_text(encoding='utf-8')}", encoding="utf-8")


def _what(record: Mapping) -> str:
    if "outlined" in record:
        return f"{record['outlined']} outlined images"
    images = f"{record['images']} unlabelled images"
    return images if "sampled" not in record else f"{record['sampled']} without labels"


def define_network(bundle: str | os.PathLike, overrides: Mapping[str, Any]) -> None:
    """Write what was given for ``network_def`` into the configs of a bundle, whose weights are of such a network."""
    given = {name: value for name, value in overrides.items() if path_of(name)[0] == "network_def"}

    def defined(config: dict) -> dict:
        if "network_def" not in config:
            return {}
        parser = ConfigParser(config)
        parser.update(given)
        return parser.get()

    if given:
        change_configs(bundle, defined)


def change_configs(bundle: str | os.PathLike, change: Callable[[dict], Mapping[str, Any]]) -> None:
    """Replace values of each config of a bundle by those that ``change`` gives for it."""
    for path in sorted(Path(bundle, "configs").glob("*.json")):
        config = read_json(path)
        changed = {**config, **change(deepcopy(config))}
        if changed != config:
            write_json(path, changed, indent=4)


def _adapted_values(config: dict, settings: Mapping, redefine: Callable[[dict], dict] | None) -> dict:
    """What the run used where the bundle has another value: prediction must see images as adaptation did."""
    values = {key: settings[key] for key in ("image_size", "cutoff") if key in config and key in settings}
    if isinstance(config.get("cutoff"), str):  # an expression, which reads the passport
        values.pop("cutoff", None)
    if redefine is not None and "network_def" in config:
        values["network_def"] = redefine(config["network_def"])
    return values
