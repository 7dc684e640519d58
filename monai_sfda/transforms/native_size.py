"""Turn probabilities at the network's size into a label map of the size of the photograph."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform
from monai.utils import convert_to_tensor
from torch import Tensor

from monai_sfda.functional import Cutoff, check_cutoff, check_head

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
            item[key] = self.on_file(item[key], item[self.ref_image])
        return item

    def on_file(self, value: Tensor, image: MetaTensor) -> MetaTensor:
        """The same at the size of the photograph that the metadata of an image name.

        Raises:
            ValueError: if the image does not say the size of its file.
        """
        if "spatial_shape" not in getattr(image, "meta", {}):
            raise ValueError(
                f"Expected {self.ref_image!r} to hold the size of its file, found a {type(image).__name__} without it; "
                "keep the image as ReadPhotod or LoadImaged gives it (a MetaTensor)."
            )
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
        """(K, *S) -> what is kept of it, (J, *S)."""
        return value


class LabelMapd(NativeSized):
    """Turn probabilities (K, h, w) into the label map (1, W, H) uint8 of the photograph.

    With a sigmoid head and ``cutoff``, channels are nested structures, outer ones first: a pixel belongs to channel k
    where channels 0..k all exceed theirs (a cup pixel outside the disc is background), and its id is the number of
    channels it belongs to. If they are not ``nested``, the id is one more than the strongest channel that exceeds its
    cut-off. With a softmax head, or without ``cutoff``, the id is the channel of the largest probability, weighed as in
    `monai_sfda.functional.decide`.

    Args:
        keys, ref_image, allow_missing_keys: as in `NativeSized`.
        cutoff: probability in (0, 1), one for each channel, or None.
        head: ``"sigmoid"`` or ``"softmax"``.
        nested: whether each channel lies in the one before.
        prob_key: where the probabilities (K, h, w) are kept.
    """

    def __init__(
        self,
        keys: KeysCollection,
        *,
        cutoff: Cutoff | None = None,
        head: str = "sigmoid",
        nested: bool = True,
        prob_key: str = "prob",
        **kwargs: Any,
    ) -> None:
        super().__init__(keys, **kwargs)
        self.cutoff = None if cutoff is None else check_cutoff(cutoff)
        self.head, self.nested, self.prob_key = check_head(head), nested, prob_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        item = super().__call__(data)
        for key in self.key_iterator(item):
            item[self.prob_key] = data[key]
        return item

    def decide(self, value: Tensor) -> Tensor:
        if self.cutoff is None or self.head == "softmax":
            return self._most_likely(value)
        limits = self._limits(value)
        if not self.nested:
            strongest, channel = value.where(value > _per_channel(limits, value), 0).max(0, keepdim=True)
            return ((channel + 1) * (strongest > 0)).byte()
        inside = value[0] > limits[0]
        label = inside.byte()
        for channel, limit in zip(value[1:], limits[1:], strict=True):
            inside = inside & (channel > limit)
            label += inside
        return label[None]

    def _most_likely(self, value: Tensor) -> Tensor:
        if isinstance(self.cutoff, Sequence):
            value = value * _per_channel([(1 - limit) / limit for limit in self._limits(value)], value)
        # comparing two channels is a tenth of the time of argmax, which serves any number of them
        return (value[1:] > value[:1]).byte() if len(value) == 2 else value.argmax(0, keepdim=True).byte()

    def _limits(self, value: Tensor) -> list[float]:
        numbers = list(self.cutoff) if isinstance(self.cutoff, Sequence) else [self.cutoff] * len(value)
        if len(numbers) != len(value):
            raise ValueError(
                f"Expected one cutoff, or one for each of {len(value)} channels, found {len(numbers)}; give that many."
            )
        return numbers  # type: ignore[return-value] # None has been dealt with


def _per_channel(numbers: Sequence[float], value: Tensor) -> Tensor:
    """K numbers shaped to be set against (K, *S)."""
    return value.new_tensor(numbers).view(-1, *[1] * (value.ndim - 1))
