"""Label maps and nested structures, where an outer one contains the next, as the optic disc contains the cup."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform
from monai.utils import convert_to_dst_type, convert_to_tensor
from torch import Tensor

__all__ = ["NestedLabeld", "refuse_unknown_ids"]


class NestedLabeld(MapTransform):
    """Turn a label map (1, *S) into overlapping channels (K, *S) float32 of 0 and 1: channel k is 1 where its ids are.

    Args:
        keys: entries to convert.
        ids: for each channel the class ids that belong to it; fundus: ``[[1, 2], [2]]`` for disc (with cup) and cup.
        names: what each channel is, for messages.
        allow_missing_keys: as in MONAI.

    Raises:
        ValueError: if a mask has another shape or holds an id that is neither 0 nor in ``ids``.
    """

    def __init__(
        self,
        keys: KeysCollection,
        ids: Sequence[Sequence[int]],
        *,
        names: Sequence[str] | None = None,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        if not ids or (names is not None and len(names) != len(ids)):
            raise ValueError(f"Expected ids, and a name for each of their channels, found ids={ids}, names={names}.")
        self.ids = [list(channel) for channel in ids]
        self.names = list(names or [])

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        out = dict(data)
        for key in self.key_iterator(out):
            mask = convert_to_tensor(out[key], track_meta=False)
            case = _case(out, key)
            if mask.shape[0] != 1:
                raise ValueError(
                    f"Expected a label map of one channel (1, *S) in case {case}, found {tuple(mask.shape)}; "
                    "load it with MaskReader and EnsureChannelFirstd."
                )
            refuse_unknown_ids(mask, {0}.union(*self.ids), case, self._meaning())
            channels = [torch.isin(mask, torch.tensor(channel, device=mask.device)) for channel in self.ids]
            out[key] = convert_to_dst_type(torch.cat(channels), out[key], dtype=torch.float32)[0]
        return out

    def _meaning(self) -> str:
        return ", ".join(f"{name} {'+'.join(map(str, ids))}" for name, ids in zip(self.names, self.ids, strict=False))


def refuse_unknown_ids(mask: Tensor | np.ndarray, expected: Iterable[int], case: str, meaning: str = "") -> None:
    """Raise a ValueError that lists the ids of a mask if one is not expected."""
    mask, expected = torch.as_tensor(mask), sorted(expected)
    if torch.isin(mask, torch.tensor(expected, device=mask.device)).all():
        return
    found = [f"{value:g}" for value in mask.unique().tolist()]
    listed = ", ".join(found[:6]) + (", ..." if len(found) > 6 else "")
    wanted = ", ".join(map(str, expected)) + (f" ({meaning})" if meaning else "")
    raise ValueError(
        f"Expected the class ids {wanted} in the mask of {case}, found {listed}; save these ids alone, no grey levels "
        "or colours, and resize masks with mode nearest."
    )


def _case(data: Mapping[Hashable, Any], key: Hashable) -> str:
    """Name of the case in messages: its entry, else its file, else its key."""
    file = getattr(data[key], "meta", {}).get("filename_or_obj", "")
    return str(data.get("case") or Path(str(file)).name or key)
