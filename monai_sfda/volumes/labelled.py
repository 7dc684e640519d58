"""Read a volume and its label map as a step of a training's preprocessing."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from typing import Any

import numpy as np
from monai.transforms import Transform

from monai_sfda.files import case_of
from monai_sfda.volumes.reader import VolumeReader

__all__ = ["ReadVolumePair"]


class ReadVolumePair(Transform):
    """Read ``image`` and ``label`` of an item onto the grid of the network, both (1, slices, rows, columns) uint8.

    An item without a ``case`` is named by its files.

    Args:
        reader: spacing and rule of intensity.
        ids: class ids that may be in a label map, with 0.
    """

    def __init__(self, reader: VolumeReader, ids: Collection[int]) -> None:
        self.reader, self.ids = reader, sorted(ids)

    def __call__(self, item: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Raises ValueError: if either cannot be read, they do not lie on each other, or there are other ids."""
        image, grid, volume = self.reader.read(item)  # type: ignore[arg-type] # keys are words
        stored = self.reader.read_label(item, volume)  # type: ignore[arg-type]
        if unknown := sorted(set(np.unique(stored).tolist()) - set(self.ids)):
            raise ValueError(
                f"Expected class ids {', '.join(map(str, self.ids))} in the label map, found {unknown[0]}; correct it, "
                "or mask_ids in task.json."
            )
        label = grid.to_network(stored, mode="nearest")[None]
        return {"case": case_of(item), **item, "image": image.mul(255).round_().byte(), "label": label.byte()}
