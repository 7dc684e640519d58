"""From a folder to a datalist: which images there are, what they are called, where their masks go."""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from monai_sfda.data.label_maps import without_label_maps
from monai_sfda.data.short_names import short_name
from monai_sfda.data.tree import counted, is_system_folder, visible_files
from monai_sfda.files import SUFFIXES, readable_path, without_suffix
from monai_sfda.places import existing_folder, labelled_folder
from monai_sfda.reading.kind import is_dicom

__all__ = ["find_images", "find_pairs", "mask_names"]

PICTURES = (
    *(".gif", ".webp", ".jp2", ".j2k", ".jxl", ".heic", ".heif", ".avif", ".jfif", ".jpe", ".dib", ".tga", ".psd"),
    *(".ppm", ".pgm", ".pbm", ".pnm", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".raf"),
    *(".hdr", ".img", ".nrrd", ".nhdr", ".mha", ".mhd", ".mgh", ".mgz", ".npy", ".npz", ".e2e", ".fda", ".fds", ".vol"),
    *(".mnc", ".minc", ".par", ".rec", ".nia", ".mif", ".brik", ".vtk", ".vti"),
    *(".svs", ".ndpi", ".czi", ".lsm", ".vsi", ".scn", ".mrxs", ".zip", ".rar", ".7z", ".tar", ".gz", ".tgz"),
    *(".bz2", ".xz", ".zst", ".lz4"),
)
"""Suffixes of what may have been meant as images."""

OTHERS = (
    *(".txt", ".csv", ".tsv", ".json", ".jsonl", ".xml", ".html", ".htm", ".md", ".rst", ".log", ".yaml", ".yml"),
    *(".pdf", ".doc", ".docx", ".xls", ".xlsx", ".ppt", ".pptx", ".ini", ".cfg", ".toml", ".db", ".lnk", ".md5"),
    *(".py", ".pyc", ".ipynb", ".m", ".r", ".sh", ".bat", ".exe", ".dll", ".so", ".pt", ".pth", ".pkl", ".sha256"),
)
"""Suffixes of files that are not opened: they are never images, and may be many."""

BEGINNINGS = (b"\x89PNG", b"\xff\xd8\xff", b"II*\x00", b"MM\x00*")  # of PNG, JPEG and TIFF

logger = logging.getLogger(__name__)


def find_images(folder: str | Path, *, exclude: Iterable[str | Path] = ()) -> list[dict[str, str]]:
    """List the images of a folder tree, sorted by case.

    Each item holds ``image`` (path), ``case`` (path relative to the folder, with ``/``) and ``output`` (relative path
    of its mask, see :func:`mask_names`). Suffixes count in any case; a file of an unknown suffix, or none, is taken
    if it is DICOM, and if it is blank beside such a file, so that whoever reads it says so; hidden files and folders
    are left out; links to folders are followed once. System folders, label maps of other images, and pictures of
    unsupported kinds are left out with a warning, see `visible_files` and `without_label_maps`. Where the folder holds
    both ``image`` and ``mask`` (the labelled layout), only ``image`` is searched, and cases are relative to it.

    Args:
        folder: the folder.
        exclude: files or folders inside it to leave out, such as the output of an earlier run.

    Raises:
        OSError: if there is no such folder, it may not be read, or it holds no image.
    """
    root = existing_folder(folder)
    if all(os.path.isdir(root / name) for name in ("image", "mask")):  # False, not an error, where one may not look
        _warn_of_others(root)
        root = root / "image"
    files = visible_files(root, exclude)
    kinds = {path: _kind(path) for path in files}
    kinds |= dict.fromkeys(_blank_beside_dicom(kinds), "image")
    images = [path for path, kind in kinds.items() if kind == "image"]
    if not images:
        raise FileNotFoundError(
            f"Expected images in {root}, found {_summary(files)}; accepted are {', '.join(s[1:] for s in SUFFIXES)}."
        )
    if others := [path for path, kind in kinds.items() if kind == "other picture"]:
        logger.warning("Pictures of unsupported kinds are left out: %s.", _counts(others))
    found: dict[str, Path] = {}
    for path in without_label_maps(root, images):
        case = readable_path(path.relative_to(root))
        while case in found:  # one file called \xff, and one with the byte that is written so
            case += "_"
        found[case] = path
    cases = sorted(found)
    outputs = mask_names(cases)
    return [{"image": str(found[case]), "case": case, "output": outputs[case]} for case in cases]


def find_pairs(dataset: str | Path, find: Callable[[Path], list[dict[str, Any]]] = find_images) -> list[dict[str, Any]]:
    """List the labelled images of ``DATASET/{image,mask}/NAME.png``, sorted by case.

    Each item holds ``image``, ``label`` (paths), ``case`` and ``output``. A mask is named as its image or as its
    ``output``, or differs from the image only in the suffix. Masks without an image are left out with a warning.

    Args:
        dataset: the folder.
        find: lists the images, and the masks, of a folder.

    Raises:
        OSError: if a folder is missing or holds no image.
        ValueError: if an image has no mask, or several.
    """
    root = labelled_folder(dataset)
    items = find(root)
    masks = {item["case"]: item["image"] for item in find(root / "mask")}
    by_stem: dict[str, list[str]] = {}
    for name in masks:
        by_stem.setdefault(without_suffix(name), []).append(name)
    partners = {item["case"]: _partners(item, masks, by_stem) for item in items}
    unclear = [case for case, names in partners.items() if len(names) != 1]
    if unclear:
        raise ValueError(
            f"Expected one mask for each of {len(items)} images in {root}, found none or several for {len(unclear)} of "
            f"them ({_first(unclear)}); add the file of the same name to mask, or remove the image."
        )
    unused = sorted(set(masks) - {names[0] for names in partners.values()})
    if unused:
        logger.warning("%d masks in %s have no image and are not used (%s).", len(unused), root, _first(unused))
    return [{**item, "label": masks[partners[item["case"]][0]]} for item in items]


def mask_names(cases: Sequence[str], *, suffix: str = ".png") -> dict[str, str]:
    """Give each case the relative path of its mask: its own with another suffix.

    Cases that would share a path, also on a disk that ignores upper and lower case, keep their suffix:
    ``a.jpg, a.png, b.jpg -> a.jpg.png, a.png.png, b.png``. The same holds where a folder has that name. What would be
    too long for a disk is shortened, see `short_name`.

    Raises:
        ValueError: if two cases are the same.
    """
    if twice := [case for case, count in Counter(cases).items() if count > 1]:
        raise ValueError(
            f"Expected a name of its own for each image, found {_first(twice)} twice; rename files, or correct --group."
        )
    full: set[str] = set()
    folders = {str(folder).casefold() for case in cases for folder in PurePosixPath(case).parents}
    while True:
        stems = {case: case if case in full else without_suffix(case) for case in cases}
        names = {case: short_name(stem + suffix, suffix) for case, stem in stems.items()}
        uses = Counter(name.casefold() for name in names.values()) + Counter(folders)
        shared = {case for case, name in names.items() if uses[name.casefold()] > 1}
        if shared <= full:
            return names
        full |= shared


def _warn_of_others(root: Path) -> None:
    folders = sorted(path.name for path in root.iterdir() if path.is_dir() and path.name[0] != ".")
    folders = [name for name in folders if not is_system_folder(name)]
    if others := [name for name in folders if name not in ("image", "mask")]:
        logger.warning("Of a folder with image and mask, only image is searched; left out: %s.", _first(others))


def _kind(path: Path) -> str | None:
    """``"image"``, ``"other picture"``, or None for what is neither."""
    if _has_suffix(path):
        return "image"
    if _is_other(path):
        return None
    # Archives name DICOM files by number, by unique identifier, or as their scanner liked.
    head = _head(path)
    if is_dicom(head):
        return "image"
    return "other picture" if path.suffix.lower() in PICTURES or head.startswith(BEGINNINGS) else None


def _blank_beside_dicom(kinds: dict[Path, str | None]) -> list[Path]:
    """What a copy that was broken off leaves, and a file that may not be read, among DICOM files without a suffix."""
    folders = {path.parent for path, kind in kinds.items() if kind == "image" and not _has_suffix(path)}
    return [
        path
        for path, kind in kinds.items()
        if kind is None and path.parent in folders and _is_as_of_dicom(path.name) and not _head(path).strip(b"\0")
    ]


def _is_as_of_dicom(name: str) -> bool:
    """Whether a name has digits, and no suffix but digits; programs leave blank files of other names as marks."""
    suffix = Path(name).suffix[1:]
    return any(sign.isdigit() for sign in name) and (not suffix or suffix.isdigit())


def _has_suffix(path: Path) -> bool:
    return path.name.lower().endswith(SUFFIXES)


def _is_other(path: Path) -> bool:
    return path.suffix.lower() in OTHERS or path.name.upper() == "DICOMDIR"


def _head(path: Path) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(132)
    except OSError:
        return b""


def _partners(item: dict[str, Any], masks: dict[str, Any], by_stem: dict[str, list[str]]) -> list[str]:
    exact = [name for name in (item["case"], item["output"]) if name in masks]
    alone = without_suffix(item["output"]) == without_suffix(item["case"])
    return exact[:1] or (by_stem.get(without_suffix(item["case"]), []) if alone else [])


def _summary(files: Sequence[Path]) -> str:
    return f"other files ({_counts(files)})" if files else "no file"


def _counts(files: Sequence[Path]) -> str:
    return counted(Counter(path.suffix.lower() or "without suffix" for path in files))


def _first(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
