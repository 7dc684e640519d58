"""The structures of a bundle, and the channels of its label maps that belong to them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from monai.bundle import ConfigParser
from numpy.typing import ArrayLike
from PIL import Image

from monai_sfda.json_file import read_json
from monai_sfda.volumes import read_volume

__all__ = ["Structures", "read_structures"]


class Structures(NamedTuple):
    """How label maps are read."""

    names: list[str]
    ids: list[list[int]]
    """Of each structure, the ids in a label map that belong to it."""
    head: str
    """``sigmoid`` or ``softmax``."""
    nested: bool
    """Whether each structure lies in the one before."""

    classes: Sequence[str] = ()
    """Name of each structure in label maps; where it is empty, that of ``names``."""
    volumes: bool = False
    """Whether images are volumes of voxels, and label maps (X, Y, Z) on the voxels of their files."""
    one_network: bool = False
    """Whether all of them are to come from one network."""

    @property
    def joint(self) -> bool:
        """Whether they can only come from one network, also because they exclude each other."""
        return (self.one_network or self.head == "softmax") and len(self.names) > 1

    def channels(self, label_map: ArrayLike | Image.Image) -> np.ndarray:
        """(K, *S) bool of class ids (*S)."""
        array = np.asarray(label_map)
        return np.stack([np.isin(array, ids) for ids in self.ids])

    def read(self, mask: Path) -> np.ndarray:
        """(K, H, W) or (K, X, Y, Z) bool, of a label map that this package wrote."""
        if self.volumes:
            return self.channels(read_volume(mask, ids=True).values)
        with Image.open(mask, formats=("PNG",)) as picture:
            return self.channels(picture)

    def known_ids(self) -> list[int]:
        """All ids that a label map may hold."""
        return sorted({0}.union(*self.ids))

    def legend(self) -> str:
        """``0 background, 1 disc, 2 disc + cup``: what each id of a label map means."""
        meaning = {
            number: [n for n, ids in zip(self.names, self.ids, strict=True) if number in ids]
            for number in self.known_ids()
        }
        return ", ".join(f"{number} {' + '.join(names) or 'background'}" for number, names in meaning.items())


def read_structures(bundle: Path) -> Structures:
    """Read them from the configs of a bundle that score it."""
    files: Sequence[Path] = [bundle / "configs" / name for name in ("inference.json", "evaluate.json")]
    for file in files:
        read_json(file)
    parser = ConfigParser()
    parser.read_config([str(file) for file in files])
    names = list(parser.get_parsed_content("structures"))
    ids = [list(map(int, numbers)) for numbers in parser.get_parsed_content("mask_ids")]
    classes = {int(number): name for number, name in parser.get_parsed_content("class_names").items()}
    labels = [classes.get(numbers[0], name) for name, numbers in zip(names, ids, strict=True)]
    nested = bool(parser.get_parsed_content("nested"))
    volumes = "whole_volumes" in read_json(bundle / "configs" / "adapt.json")
    return Structures(names, ids, parser.get("head"), nested, labels, volumes)
