"""Save label maps, completely or not at all."""

from __future__ import annotations

import io
import os
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from monai.transforms import SaveImaged
from monai.utils import convert_to_tensor
from PIL import Image
from torch import Tensor

from monai_sfda.files import brief_hash, whole_file
from monai_sfda.mask_file import png_text

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
        row_key: key of plain values that belong to the mask; where an item has it, they go into the file, see
            `monai_sfda.mask_file`: mask and row are there together or not at all.
        replace: False leaves a mask alone that is there already.

    The mask also says of which picture it is, that is, of which file its metadata name.
    """

    suffix = ".png"

    def __init__(
        self,
        keys: str,
        *,
        output_dir: str | Path,
        output_key: str = "output",
        row_key: str = "row",
        replace: bool = True,
    ) -> None:
        super().__init__(keys, output_dir=output_dir, output_ext=self.suffix, separate_folder=False, print_log=False)
        self.folder, self.output_key, self.row_key, self.replace = Path(output_dir), output_key, row_key, replace

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Raises ValueError: if the item does not name its mask."""
        item = dict(data)
        if self.output_key not in item:
            raise ValueError(
                f"Expected items that name their mask as {self.output_key!r}, found {', '.join(map(repr, item))}; add "
                'a relative path, such as "case_1.png", as find_images does.'
            )
        for key in self.key_iterator(item):
            target = self.folder / item[self.output_key]
            if self.replace or not target.exists():
                content = self.content(item[key], item.get(self.row_key))
                with whole_file(target) as draft:
                    draft.write_bytes(content)
        return item

    def content(self, mask: Tensor, row: Mapping[str, Any] | None) -> bytes | memoryview:
        """The file of a label map (1, W, H) with its row."""
        source = getattr(mask, "meta", {}).get("filename_or_obj")
        made_of = brief_hash(source) if isinstance(source, str | os.PathLike) and os.path.isfile(source) else None
        ids = convert_to_tensor(mask, track_meta=False)[0].T
        picture = Image.fromarray(ids.cpu().numpy().astype(np.uint8, order="C"))
        stream = io.BytesIO()  # Pillow writes in many pieces, of which each would cost a call of the system
        # label maps are small at any level
        picture.save(stream, format="PNG", pnginfo=png_text(row, made_of), compress_level=1)
        return stream.getbuffer()
