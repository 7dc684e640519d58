"""Images and their cases, out of whatever a data loader yields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

__all__ = ["read_batch"]


def read_batch(batch: Any) -> tuple[Tensor, list[str]]:
    """Images (B, C, *S) and the B cases of a batch; without ``case``, the files that MONAI read the images from.

    Raises:
        ValueError: if the batch has a ``label`` (target labels must not reach adaptation), no ``image``, or no case for
            each image.
    """
    found = ", ".join(map(repr, batch)) if isinstance(batch, Mapping) else f"a {type(batch).__name__}"
    if isinstance(batch, Mapping) and "label" in batch:
        raise ValueError(
            "Expected batches without 'label', found one: target labels must not reach adaptation; drop the key "
            "from the adaptation data (evaluation reads labels from its own loader)."
        )
    if not isinstance(batch, Mapping) or not isinstance(batch.get("image"), Tensor):
        raise ValueError(
            f"Expected batches that are dictionaries with a tensor 'image', found {found}; give each item of the data "
            'set as {"image": tensor, "case": "its name"}.'
        )
    image = batch["image"]
    case = batch.get("case", getattr(image, "meta", {}).get("filename_or_obj"))
    names = case.tolist() if isinstance(case, Tensor) else case
    if not isinstance(names, (list, tuple)) or len(names) != len(image):
        wrong = f"{found} without one" if case is None else f"{case!r} for {len(image)} images"
        raise ValueError(
            f"Expected a 'case' for each image of a batch, found {wrong}; add to each item of the data set a name that "
            'no other has, as in {"image": path, "case": path}.'
        )
    return image, [str(name) for name in names]
