"""The bundle to use: a copy of the chosen candidate, or of the source."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from monai_sfda.candidates.run import KEPT, SOURCE, Candidate
from monai_sfda.delivery.delivery import define_network
from monai_sfda.overrides import read_json
from monai_sfda.passport import NAME as PASSPORT

__all__ = ["deliver", "withdraw"]

CHOSEN = "chosen"
EVIDENCE = ("sentence", "gains", "images", "outlined")


def deliver(run: Path, candidate: Candidate, measured: Mapping[str, Any]) -> Path:
    """Write ``run/chosen``, whole or not at all.

    An adapted bundle says in its metadata, under ``adaptation``, why it was chosen. The source bundle is copied with
    the weights and the options that the adaptation was begun with, as it was compared.

    Args:
        run: the run.
        candidate: the network to use.
        measured: what `measure` found.
    """
    target, draft = run / CHOSEN, run / f"{CHOSEN}.part"
    shutil.rmtree(draft, ignore_errors=True)
    unwanted = shutil.ignore_patterns("eval", "__pycache__", "*.part", "model_*.pt")
    shutil.copytree(candidate.bundle, draft, ignore=unwanted)
    if candidate.name == SOURCE:
        _as_compared(draft, candidate)
    else:
        file = draft / "configs" / "metadata.json"
        metadata = read_json(file)
        metadata["adaptation"] = {**metadata["adaptation"], "choice": {key: measured[key] for key in EVIDENCE}}
        file.write_text(json.dumps(metadata, indent=4) + "\n", encoding="utf-8")
    withdraw(run)
    os.replace(draft, target)
    return target


def withdraw(run: Path) -> None:
    """Delete what was chosen on other outlines."""
    shutil.rmtree(run / CHOSEN, ignore_errors=True)


def _as_compared(bundle: Path, source: Candidate) -> None:
    """Put the weights and options into a copy of the source bundle that it did not have by itself."""
    own, passport = bundle / "models" / "model.pt", source.weights.with_name(PASSPORT)
    if source.weights.resolve() != (source.bundle / "models" / "model.pt").resolve():
        own.parent.mkdir(exist_ok=True)
        shutil.copyfile(source.weights, own)
        own.with_name(PASSPORT).unlink(missing_ok=True)
        if passport.is_file():
            shutil.copyfile(passport, own.with_name(PASSPORT))
    values = {name: value for name, value in source.options.items() if name in KEPT}
    for path in sorted((bundle / "configs").glob("*.json")) if values else ():
        config = read_json(path)
        config |= {name: value for name, value in values.items() if name in config}
        path.write_text(json.dumps(config, indent=4) + "\n", encoding="utf-8")
    define_network(bundle, source.options)
