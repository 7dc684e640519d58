"""Facts measured with a source network's labelled images, stored beside its weights.

``passport.json`` is in the folder of the weights, contains no image and takes about a kilobyte.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from monai_sfda.files import sha256
from monai_sfda.functional import Cutoff, check_cutoff
from monai_sfda.json_file import write_json

__all__ = ["channel_cutoffs", "read_passport", "source_cutoffs", "write_passport"]

NAME = "passport.json"
USUAL = 0.5  # where nothing is known

logger = logging.getLogger(__name__)


def write_passport(checkpoint: str | Path, **facts: Any) -> Path:
    """Write ``facts``, plain values, beside the weights in ``checkpoint``, with a checksum of these weights.

    Facts that were read beside other weights have the checksum of those, which does not count.
    """
    path = Path(checkpoint).with_name(NAME)
    write_json(path, {"weights": ""} | facts | {"weights": sha256(checkpoint)}, indent=4)  # the checksum stands first
    return path


def read_passport(checkpoint: str | Path) -> dict[str, Any]:
    """Facts about the weights in ``checkpoint``; none, with a warning, if the passport belongs to other weights.

    Raises:
        ValueError: if the passport is damaged.
    """
    path = Path(checkpoint).with_name(NAME)
    if not path.is_file() or not Path(checkpoint).is_file():
        return {}
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        weights = facts["weights"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"Expected facts about weights in {path}, found a damaged file; restore or delete it."
        ) from error
    if weights != sha256(checkpoint):
        logger.warning("%s belongs to other weights than %s and is not used.", path, Path(checkpoint).name)
        return {}
    return facts


def source_cutoffs(checkpoint: str | Path, structures: Collection[str]) -> dict[str, float]:
    """Structure -> the cut-off that was fitted to held-out source images, or 0.5 if none was."""
    fitted = read_passport(checkpoint).get("cutoff", {})
    return {name: float(fitted.get(name, USUAL)) for name in structures}


def channel_cutoffs(cutoff: float | Mapping[str, float], structures: Mapping[str, int]) -> Cutoff:
    """A cut-off for each channel: the given one for ``structures`` (name -> channel), 0.5 for a background.

    One number stands for all of them and is returned as it is.

    Raises:
        ValueError: if a name is no structure, or a number does not lie between 0 and 1.
    """
    if not isinstance(cutoff, Mapping):
        return check_cutoff(cutoff)
    unknown = sorted(set(cutoff) - set(structures))
    if unknown:
        raise ValueError(f"Expected a cutoff for {', '.join(structures)}, found one for {unknown[0]}; name these only.")
    numbers = [USUAL] * (1 + max(structures.values()))
    for name, number in cutoff.items():
        numbers[structures[name]] = number
    return check_cutoff(numbers)
