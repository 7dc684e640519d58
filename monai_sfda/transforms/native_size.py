"""From what the network says at its own size to a label map of the size of the photograph."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform
from monai.utils import convert_to_tensor
from torch import Tensor

__all__ = ["LabelMapd", "NativeSized"]


class NativeSized(MapTransform):
    """Resize probabilities (K, h, w) to (K, W, H) of the photograph, bilinear, as MONAI's ``Invertd`` does.

    Args:
        keys: entries to resize.
        ref_image: key of the photograph, as `ReadPhotod` leaves it.
        allow_missing_keys: as in MONAI.
    """

    def __init__(self, keys: KeysCollection, *, ref_image: str = "image", allow_missing_keys: bool = False) -> None:
        super().__init__(keys, allow_missing_keys)
        self.ref_image = ref_image

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        item = dict(data)
        for key in self.key_iterator(item):
            item[key] = self.on_photo(item[key], item[self.ref_image])
        return item

    def on_photo(self, value: Tensor, image: MetaTensor) -> MetaTensor:
        """The same at the size of the photograph, which a MetaTensor names as its file."""
        width, height = (int(n) for n in image.meta["spatial_shape"])
        left, top, right, bottom = image.meta.get("box", (0, 0, width, height))
        size = (bottom - top, right - left)
        value = convert_to_tensor(value, track_meta=False)
        if value.shape[1:] != size:
            value = torch.nn.functional.interpolate(value[None].float(), size=size, mode="bilinear")[0]
        meta = {**image.meta, "affine": image.meta["original_affine"]}
        value = self.decide(value)
        if size != (height, width):  # around what was read lies nothing
            value = torch.nn.functional.pad(value, (left, width - right, top, height - bottom))
        return MetaTensor(value.transpose(1, 2), meta=meta)

    def decide(self, value: Tensor) -> Tensor:
        """(K, H, W) -> what is kept of it."""
        return value


class LabelMapd(NativeSized):
    """Turn probabilities (K, h, w) into the label map (1, W, H) uint8 of the photograph.

    With ``cutoff``, channels are nested structures, outer ones first: a pixel belongs to channel k where channels 0..k
    all exceed it (a cup pixel outside the disc is background), and its id is the number of channels it belongs to. If
    they are not ``nested``, the id is one more than the strongest channel that exceeds it. Without ``cutoff``, the id
    is the channel of the largest probability.

    Args:
        keys, ref_image, allow_missing_keys: as in `NativeSized`.
        cutoff: probability in (0, 1), or None.
        nested: whether each channel lies in the one before.
        prob_key: where the probabilities (K, h, w) are kept.
    """

    def __init__(
        self,
        keys: KeysCollection,
        *,
        cutoff: float | None = None,
        nested: bool = True,
        prob_key: str = "prob",
        **kwargs: Any,
    ) -> None:
        super().__init__(keys, **kwargs)
        if cutoff is not None and not 0 < cutoff < 1:
            raise ValueError(f"Expected a cutoff between 0 and 1, found {cutoff}; 0.75 in the published methods.")
        self.cutoff, self.nested, self.prob_key = cutoff, nested, prob_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        item = super().__call__(data)
        for key in self.key_iterator(item):
            item[self.prob_key] = data[key]
        return item

    def decide(self, value: Tensor) -> Tensor:
        if self.cutoff is None:
            # comparing two channels is a tenth of the time of argmax, which serves any number of them
            return (value[1:] > value[:1]).byte() if len(value) == 2 else value.argmax(0, keepdim=True).byte()
        if not self.nested:
            strongest, channel = value.max(0, keepdim=True)
            return ((channel + 1) * (strongest > self.cutoff)).byte()
        inside = value[0] > self.cutoff
        label = inside.byte()
        for channel in value[1:]:
            inside = inside & (channel > self.cutoff)
            label += inside
        return label[None]
