"""Get images and their cases from a batch of a data loader."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from monai.utils import convert_to_tensor
from torch import Tensor
from torch.utils.data import DataLoader

__all__ = ["check_cases", "read_batch", "read_images"]


def read_batch(batch: Any) -> tuple[Tensor, list[str]]:
    """Images and cases of a batch to adapt to, see `read_images`.

    Raises:
        ValueError: also if the batch has a ``label``: target labels must not reach adaptation.
    """
    if isinstance(batch, Mapping) and "label" in batch:
        raise ValueError(
            "Expected batches without 'label', found one: target labels must not reach adaptation; drop the key "
            "from the adaptation data (evaluation reads labels from its own loader)."
        )
    return read_images(batch)


def read_images(batch: Any) -> tuple[Tensor, list[str]]:
    """Images (B, C, *S) and the B cases of a batch; without ``case``, the files that MONAI read the images from.

    Raises:
        ValueError: if the batch has no tensor ``image`` with a dimension of channels, or no case for each image.
    """
    found = ", ".join(map(repr, batch)) if isinstance(batch, Mapping) else f"a {type(batch).__name__}"
    image = batch.get("image") if isinstance(batch, Mapping) else None
    if not isinstance(image, Tensor):
        kind = "" if image is None else f" where 'image' is a {type(image).__name__}"
        raise ValueError(
            f"Expected batches that are dictionaries with a tensor 'image', found {found}{kind}; let a DataLoader make "
            'them of items {"image": array or tensor, "case": "its name"}, and read files with ReadPhotod("image", '
            "(256, 256), dtype=torch.uint8)."
        )
    if image.ndim < 4:
        raise ValueError(
            f"Expected batches of images (B, C, H, W), found shape {tuple(image.shape)}; add the dimension of channels "
            "to each image, as EnsureChannelFirstd does."
        )
    case = batch.get("case", getattr(image, "meta", {}).get("filename_or_obj"))
    names = case.tolist() if isinstance(case, Tensor) else case
    if not isinstance(names, (list, tuple)) or len(names) != len(image):
        wrong = f"{found} without one" if case is None else f"{case!r} for {len(image)} images"
        raise ValueError(
            f"Expected a 'case' for each image of a batch, found {wrong}; add to each item of the data set a name that "
            'no other has, as in {"image": path, "case": path}.'
        )
    # A step through MONAI's MetaTensor takes half as long again as one through a plain tensor.
    return convert_to_tensor(image, track_meta=False), [str(name) for name in names]


def check_cases(loader: DataLoader | Any) -> None:
    """No two images of a datalist share a case: the labels of one would be those of the other.

    Asked of a data set that is a list of dictionaries, or has one as ``data`` as those of MONAI do.

    Raises:
        ValueError: if two do.
    """
    dataset = getattr(loader, "dataset", None)
    items = getattr(dataset, "data", dataset)
    seen: dict[Any, Any] = {}
    for item in items if isinstance(items, list) else ():
        if not isinstance(item, Mapping) or not isinstance(item.get("case"), (str, int)):
            return
        case, image = item["case"], item.get("image")
        if case in seen and not (seen[case] is image or (isinstance(image, str) and seen[case] == image)):
            raise ValueError(
                f"Expected a case of its own for each image, found {case!r} twice; take the path, not the name of the "
                "file alone, if files of several folders share names."
            )
        seen[case] = image
