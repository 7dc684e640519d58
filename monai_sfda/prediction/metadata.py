"""Read class names and version of a network from the metadata of its bundle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from monai.transforms import Compose

from monai_sfda.prediction.describe import DescribeCased

__all__ = ["class_names", "model_name", "same_classes"]


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


def same_classes(classes: Mapping[int, str], postprocessing: Compose) -> None:
    """Refuse metadata that name other classes than the step that describes a prediction.

    Raises:
        ValueError: if they differ.
    """
    for step in postprocessing.transforms:
        if isinstance(step, DescribeCased) and step.classes != dict(classes):
            raise ValueError(
                f"Expected the classes of the label map ({step.classes}) as channel_def of the output in "
                f"configs/metadata.json, found {dict(classes)}; correct one of them."
            )


def model_name(metadata: Mapping[str, Any]) -> tuple[str, str]:
    """Name and version of a bundle; the version tells how it was adapted, if it was: ``0.1.0, adapted with cbmt``."""
    version = str(metadata.get("version", "unknown"))
    if "adaptation" in metadata:
        version += f", adapted with {metadata['adaptation']['method']}"
    return str(metadata.get("name", "unknown")), version
