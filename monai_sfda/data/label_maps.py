"""Find label maps that are stored among photographs, by the names of folders and files."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from monai_sfda.data.tree import counted
from monai_sfda.files import without_suffix

__all__ = ["without_label_maps"]

LABELS = {
    *("mask", "masks", "label", "labels", "labelmap", "labelmaps"),
    *("annotation", "annotations", "annot", "anno", "annos"),
    *("gt", "gts", "truth", "groundtruth", "groundtruths", "manual", "seg", "segs", "segmentation", "segmentations"),
    *("pred", "preds", "prediction", "predictions"),
}
IMAGES = {
    *("image", "images", "img", "imgs", "photo", "photos", "picture", "pictures", "original", "originals"),
}
WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")  # of camelCase, as in labelsTr, and of snake_case
ENDING, BEGINNING = re.compile(r"[ _.-]([^ _.-]+)\Z"), re.compile(r"\A([^ _.-]+)[ _.-]")
CHANNEL = re.compile(r"_\d{4}\Z")  # of nnU-Net's images, which its label maps lack

logger = logging.getLogger(__name__)


def without_label_maps(root: Path, images: Sequence[Path]) -> list[Path]:
    """Leave out files that are label maps of other files, and log a warning.

    Label maps are files in a folder named so (``labelsTr``, ``masks``, ``GT``, ``Ground Truth``) beside a folder named
    as one of images, or with most of its files named as one photograph each that lies beside it; and ``a_mask.png``
    or ``mask_a.png`` beside ``a.png``. A folder of such a name without that evidence is kept, also with a warning.

    Args:
        root: folder that holds all; its own name does not matter.
        images: files below it.
    """
    folders = {folder: _label_folder(folder, root) for folder in {path.parent for path in images}}
    photographs = [path for path in images if folders[path.parent] is None]
    groups: dict[Path, list[Path]] = {}
    for path in images:
        if (home := folders[path.parent]) is not None:
            groups.setdefault(home, []).append(path)
    proven = {home: files for home, files in groups.items() if _lies_beside(home, files, photographs)}
    masks = _masks_of_neighbours(photographs)
    left = Counter({str(home.relative_to(root)): len(files) for home, files in proven.items()})
    left.update(f"named as {path.name}" for path in masks[:1] for _ in masks)
    if left:
        logger.warning(
            "Label maps of the images beside them are left out: %s; to read them all the same, give their folder.",
            counted(left),
        )
    if doubtful := Counter({str(home.relative_to(root)): len(groups[home]) for home in groups.keys() - proven.keys()}):
        logger.warning(
            "Folders named as label maps, but without images beside them, are read as photographs: %s; if they hold "
            "label maps, move them elsewhere.",
            counted(doubtful),
        )
    unwanted = {*masks, *(path for files in proven.values() for path in files)}
    return [path for path in images if path not in unwanted]


def _label_folder(folder: Path, root: Path) -> Path | None:
    """The innermost folder, up to ``root``, that is named as label maps; None if one named as images lies deeper."""
    while folder != root:
        if _named(folder.name, LABELS):
            return folder
        if _named(folder.name, IMAGES):
            return None
        folder = folder.parent
    return None


def _named(name: str, words: set[str]) -> bool:
    """Whether a name is, begins or ends with one of the words."""
    parts = [part.casefold() for part in WORD.findall(name)]
    return name.casefold() in words or bool(parts and {parts[0], parts[-1]} & words)


def _lies_beside(home: Path, files: Sequence[Path], photographs: Sequence[Path]) -> bool:
    near = [path for path in photographs if path.is_relative_to(home.parent)]
    beside = {path.relative_to(home.parent).parts[0] for path in near if path.parent != home.parent}
    if any(_named(name, IMAGES) for name in beside):
        return True
    # In a folder for each patient, of which one is called GT, all have the same names.
    stems = [without_suffix(path.name) for path in near]
    names = Counter(name for stem in stems for name in {stem, CHANNEL.sub("", stem)})
    found = sum(names[_bare(without_suffix(path.name))] == 1 for path in files)
    return 2 * found >= len(files)


def _masks_of_neighbours(photographs: Sequence[Path]) -> list[Path]:
    stems = {(path.parent, without_suffix(path.name)) for path in photographs}
    bare = {path: _bare(without_suffix(path.name)) for path in photographs}
    return [path for path, stem in bare.items() if stem != without_suffix(path.name) and (path.parent, stem) in stems]


def _bare(stem: str) -> str:
    """``a`` of ``a_mask``, ``a-gt``, ``a.seg``, ``mask_a``."""
    for part in (ENDING.search(stem), BEGINNING.search(stem)):
        if part and part[1].casefold() in LABELS:
            return stem[: part.start()] + stem[part.end() :]
    return stem
