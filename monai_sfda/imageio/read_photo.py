"""Read a file directly to a tensor of a given size."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform

from monai_sfda.imageio.photo_reader import PhotoReader
from monai_sfda.imageio.resample import resize_photo

__all__ = ["ReadPhotod"]


class ReadPhotod(MapTransform):
    """Read a photograph and resize it: (3, h, w), float32 in [-1, 1] as networks see it, or uint8 from 0 to 255.

    The same values, up to rounding, as MONAI's ``LoadImaged`` with a `PhotoReader`, ``EnsureChannelFirstd``,
    ``Transposed``, ``Resized`` (bilinear, anti-aliased) and ``ScaleIntensityRanged``, at a fraction of their time. The
    metadata are those of ``LoadImaged``; ``spatial_shape`` is the size (W, H) of the upright photograph.

    Args:
        keys: entries that hold a path.
        spatial_size: (h, w).
        dtype: ``torch.float32`` gives -1 to 1, the input of a network; ``torch.uint8`` gives 0 to 255, the images of a
            data set whose views (`monai_sfda.transforms.WeakStrongViews`) scale them for the network.
        reader: gives the photograph; a plain `PhotoReader` by default.
        finder: takes the photograph (3, H, W), 0..255, and says in ``box`` which part of it to read, as
            `monai_sfda.organs.fundus.DiscFinder` does; all it says becomes the item's ``located``. None reads all.
        allow_missing_keys: as in MONAI.

    Raises:
        ValueError: if ``dtype`` or ``spatial_size`` is none of those.
    """

    def __init__(
        self,
        keys: KeysCollection,
        spatial_size: Sequence[int],
        *,
        dtype: torch.dtype = torch.float32,
        reader: PhotoReader | None = None,
        finder: Callable[[torch.Tensor], dict[str, Any]] | None = None,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        if dtype not in (torch.float32, torch.uint8):
            raise ValueError(
                f"Expected dtype torch.float32 (-1 to 1, for a network) or torch.uint8 (0 to 255, for views), found "
                f"{dtype}; give one of the two."
            )
        self.finder, self.dtype = finder, dtype
        if not isinstance(spatial_size, Sequence) or len(spatial_size) != 2:
            raise ValueError(f"Expected spatial_size (h, w), found {spatial_size}; give both, such as (256, 256).")
        self.rows, self.columns = (int(n) for n in spatial_size)
        self.reader = reader or PhotoReader()

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        item = dict(data)
        for key in self.key_iterator(item):
            pixels = self.reader.decode_array(item[key])
            left, top, right, bottom = box = self._box(pixels, item)
            values = resize_photo(np.ascontiguousarray(pixels[top:bottom, left:right]), (self.rows, self.columns))
            if self.dtype == torch.uint8:
                values = values.round().clip(0, 255).astype(np.uint8)
            else:
                values *= 2 / 255
                values -= 1
            size = np.array([pixels.shape[1], pixels.shape[0]])
            meta = {"filename_or_obj": str(item[key]), "spatial_shape": size, "original_affine": torch.eye(4).double()}
            meta["box"] = box
            item[key] = MetaTensor(torch.from_numpy(values), affine=torch.eye(4).double(), meta=meta)
        return item

    def _box(self, pixels: np.ndarray, item: dict[Hashable, Any]) -> list[int]:
        """Left, top, right and bottom of the part to read."""
        if self.finder is None:
            return [0, 0, pixels.shape[1], pixels.shape[0]]
        writable = np.require(pixels, requirements="W")  # as torch wants them
        item["located"] = self.finder(torch.from_numpy(writable).permute(2, 0, 1))
        return item["located"]["box"]
