"""How the masks of a prediction were made, which they do not say themselves."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from monai_sfda.json_file import read_json

__all__ = ["UNKNOWN", "MadeWith", "made_with"]


class MadeWith(NamedTuple):
    """What counts of a `monai_sfda.volumes.VolumeReader`, and the limits that were given for flags."""

    spacing: tuple[float, ...] = (1.0, 1.0)
    """Two numbers where the network saw slices, three where it saw volumes."""
    pixel_size: tuple[float, ...] | None = None
    """Given for files that state none; None if nothing was given, or it is not known what was."""
    thresholds: Mapping[str, Any] | None = None
    """As `monai_sfda.prediction.judge.Judge` takes them."""


UNKNOWN = MadeWith()


def made_with(folder: Path) -> MadeWith:
    """What ``folder/masks_of.json`` says, see `monai_sfda.same_run.refuse_other_masks`."""
    record = read_json(folder / "masks_of.json") if (folder / "masks_of.json").exists() else {}
    reader = record.get("reader")
    setup: Mapping[str, Any] = next(iter(reader.values()), {}) if isinstance(reader, Mapping) else {}
    stated = {name: tuple(setup[name]) for name in ("spacing", "pixel_size") if setup.get(name) is not None}
    return MadeWith(**stated, thresholds=record.get("thresholds"))
