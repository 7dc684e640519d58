"""Label maps on disk, complete or not there at all."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.transforms import SaveImaged
from PIL import Image

from monai_sfda.files import whole_file

__all__ = ["SaveMaskd"]


class SaveMaskd(SaveImaged):
    """Save a 2D label map as 8-bit PNG at the relative path that the item's ``output`` names.

    A `SaveImaged` whose names cannot collide (see `monai_sfda.data.mask_names`) and whose files are moved into place
    when they are complete: a run that was killed leaves no half mask. It stays a `SaveImaged`, which MONAI Label
    replaces by its own writer.

    Args:
        keys: key of the label map (1, W, H), ids 0..255.
        output_dir: folder of the masks.
        output_key: key of the relative path.
    """

    def __init__(self, keys: str, *, output_dir: str | Path, output_key: str = "output") -> None:
        super().__init__(keys, output_dir=output_dir, output_ext=".png", separate_folder=False, print_log=False)
        self.folder, self.output_key = Path(output_dir), output_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        item = dict(data)
        for key in self.key_iterator(item):
            target = self.folder / item[self.output_key]
            ids = torch.as_tensor(item[key])[0].T.cpu().numpy().astype(np.uint8)
            with whole_file(target) as draft:
                Image.fromarray(ids).save(draft, format="PNG")
        return item
