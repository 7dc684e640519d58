"""How the volumes of a prediction were read, which their masks do not say."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from monai_sfda.overrides import read_json

__all__ = ["UNKNOWN", "ReadWith", "read_with"]


class ReadWith(NamedTuple):
    """What counts of a `monai_sfda.volumes.VolumeReader`."""

    spacing: tuple[float, ...] = (1.0, 1.0)
    """Two numbers where the network saw slices, three where it saw volumes."""
    pixel_size: tuple[float, ...] | None = None
    """Given for files that state none; None if nothing was given, or it is not known what was."""


UNKNOWN = ReadWith()


def read_with(folder: Path) -> ReadWith:
    """What ``folder/masks_of.json`` says of the reader, see `monai_sfda.same_run.refuse_other_masks`."""
    record = folder / "masks_of.json"
    reader = read_json(record).get("reader") if record.exists() else None
    for setup in reader.values() if isinstance(reader, Mapping) else ():
        stated = {name: tuple(setup[name]) for name in ReadWith._fields if setup.get(name) is not None}
        return ReadWith(**stated)
    return UNKNOWN
