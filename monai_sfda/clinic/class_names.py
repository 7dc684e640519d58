"""What the ids of a label map stand for, as a bundle's metadata has it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["class_names"]


def class_names(metadata: Mapping[str, Any]) -> dict[int, str]:
    """Ids of the label map and their names, without background.

    Args:
        metadata: of a bundle; ``network_data_format::outputs::pred::channel_def`` is read.

    Raises:
        ValueError: if the metadata do not name the classes.
    """
    try:
        names = metadata["network_data_format"]["outputs"]["pred"]["channel_def"]
    except (KeyError, TypeError) as error:
        raise ValueError(
            "Expected the classes of the network in configs/metadata.json, found no channel_def of "
            "network_data_format::outputs::pred; add it."
        ) from error
    return {int(number): name for number, name in names.items() if name.lower() != "background"}
