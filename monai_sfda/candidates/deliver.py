"""The bundle to use, and what it says of itself."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from monai_sfda.candidates.build import base_of, build, parts_of
from monai_sfda.candidates.candidate import SOURCE, Candidate
from monai_sfda.candidates.structures import Structures
from monai_sfda.json_file import read_json, write_json

__all__ = ["CHOSEN", "DRAFT", "OLD", "deliver", "withdraw"]

CHOSEN = "chosen"
DRAFT = f"{CHOSEN}.part"
OLD = f"{CHOSEN}.old"
EVIDENCE = ("sentence", "networks", "gains", "images", "outlined")


def deliver(run: Path, wanted: Mapping[str, Candidate], structures: Structures, measured: Mapping[str, Any]) -> Path:
    """Write ``run/chosen``, whole or not at all.

    Its metadata say under ``adaptation`` which structure is from which candidate, of which networks it is made, and
    why it was chosen; those of a copy of the source bundle say nothing new.

    Args:
        run: the run.
        wanted: structure -> candidate, of all structures.
        structures: of the bundle.
        measured: what `monai_sfda.candidates.measure` found.
    """
    target, draft = run / CHOSEN, run / DRAFT
    shutil.rmtree(draft, ignore_errors=True)
    build(draft, wanted, structures)
    if any(one.name != SOURCE for one in wanted.values()):
        file = draft / "configs" / "metadata.json"
        metadata = read_json(file)
        base = base_of(wanted)
        record = metadata.get("adaptation", {"method": base.name})
        choice = {key: measured[key] for key in EVIDENCE}
        metadata["adaptation"] = {**record, "choice": {**choice, "made_of": _lineage(wanted)}}
        write_json(file, metadata, indent=4)
    withdraw(run)
    os.replace(draft, target)
    return target


def withdraw(run: Path) -> None:
    """Delete what was chosen on other outlines."""
    shutil.rmtree(run / OLD, ignore_errors=True)
    if (run / CHOSEN).is_dir():
        os.replace(run / CHOSEN, run / OLD)  # at once: half a bundle would look like one
        shutil.rmtree(run / OLD, ignore_errors=True)


def _lineage(wanted: Mapping[str, Candidate]) -> dict[str, Any]:
    """Name of each network that runs -> checksums of the weights that it was made of, and how it was adapted."""
    lineage = {}
    for part in parts_of(wanted.values()):
        record = read_json(part.bundle / "configs" / "metadata.json").get("adaptation", {})
        told = {name: record[name] for name in ("method", "settings", "software") if name in record}
        epoch = {} if part.epoch is None else {"epoch": part.epoch}
        lineage[part.name] = {**part.made_of(), **epoch, **told}
    return lineage
