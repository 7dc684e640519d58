"""A task of the Medical Segmentation Decathlon: imagesTr, labelsTr and the list dataset.json."""

from __future__ import annotations

import json
from pathlib import Path

from monai_sfda.datasets.files import check_counts, find_files, pair_up
from monai_sfda.datasets.labelled_volumes import Case

__all__ = ["find_decathlon"]


def find_decathlon(source: Path, name: str, volumes: int) -> list[Case]:
    """The volumes that dataset.json lists for training, counted.

    Args:
        source: where the archive was unpacked.
        name: expression for the name of a file without its suffix, such as ``hippocampus_\\d{3}``.
        volumes: their number in the complete release.

    Returns:
        Cases with image, label and list as their files.

    Raises:
        OSError: if nothing of the kind is there.
        ValueError: if a volume is missing, too much, or without its label.
    """
    (listing,) = find_files(source, r"(?P<name>dataset)\.json", "dataset.json").values()
    try:
        listed = {
            Path(row["label"]).name.removesuffix(".nii.gz") for row in json.loads(listing.path.read_text())["training"]
        }
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"Expected a list of training images in {listing.path}, found none; download it again."
        ) from error
    example = f"{min(listed, default='NAME')}.nii.gz"
    images, labels = (
        find_files(source, rf"{folder}/(?P<name>{name})\.nii\.gz", f"{folder}/{example}")
        for folder in ("imagesTr", "labelsTr")
    )
    pairs = [pair._replace(split="training") for pair in pair_up(images, labels)]
    check_counts(pairs, {"training": volumes}, {"training": listed})
    return [Case(pair.name, (pair.image, *pair.masks, listing.path), {"patient": pair.name}) for pair in pairs]
