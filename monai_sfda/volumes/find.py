"""From a folder to a datalist of volumes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from monai_sfda.data import find_images, find_pairs, mask_names
from monai_sfda.data.short_names import short_name
from monai_sfda.files import SUFFIXES, without_suffix
from monai_sfda.reading.kind import sniff
from monai_sfda.volumes.find_series import find_series
from monai_sfda.volumes.nifti import count_frames
from monai_sfda.volumes.pictures import group_pictures

__all__ = ["find_volume_pairs", "find_volumes"]

SUFFIX = ".nii.gz"
"""Of the masks of volumes."""
OTHERS = tuple(suffix for suffix in SUFFIXES if suffix not in (".dcm", ".dicom", ".ima"))
"""Of images that are not DICOM."""

Frames = str | int | Sequence[int] | None


def find_volumes(
    folder: str | Path, *, exclude: Iterable[str | Path] = (), frames: Frames = None, group: str | None = None
) -> list[dict[str, Any]]:
    r"""List the volumes of a folder tree, sorted by case.

    Items are those of `monai_sfda.data.find_images`, with the ``output`` of a volume. A NIfTI file is one, and so is a
    picture. The DICOM files of a series are one, see `find_series`: their ``image`` is the list of their paths.

    Args:
        folder: the folder.
        exclude: files or folders inside it to leave out.
        frames: of files and series that hold several volumes: ``"all"``, or the indices of some, from 0, also as text
            (``"0,12"``). Each is an item of its own, ``p1.nii.gz frame 3``, with ``frame``. None makes one item of all,
            which a reader refuses.
        group: which pictures are the slices of one volume, see `group_pictures`.

    Raises:
        OSError, ImportError: as `find_images`, `find_series`.
        ValueError: if ``frames`` or ``group`` is none of these.
    """
    return _each_frame(_volumes(folder, exclude=exclude, group=group), _wanted(frames))


def find_volume_pairs(dataset: str | Path, *, frames: Frames = None, group: str | None = None) -> list[dict[str, Any]]:
    """List the labelled volumes of ``DATASET/{image,mask}/NAME.nii.gz``, sorted by case; items have a ``label`` too.

    Args:
        dataset: the folder, see `monai_sfda.data.find_pairs`; the mask of a series has the name of its ``output``.
        frames: as in `find_volumes`; a mask has as many, or one volume for all of them.
        group: as in `find_volumes`; also of the masks.
    """
    return _each_frame(find_pairs(dataset, partial(_volumes, group=group)), _wanted(frames))


def _volumes(
    folder: str | Path, *, exclude: Iterable[str | Path] = (), group: str | None = None
) -> list[dict[str, Any]]:
    kinds: dict[str, list[dict[str, str]]] = {"dicom": [], "nifti": [], "picture": []}
    for item in find_images(folder, exclude=exclude):
        kinds[_kind(item["image"])].append(item)
    pictures = kinds["picture"] if group is None else group_pictures(kinds["picture"], group)
    files = [*kinds["nifti"], *pictures]
    series = find_series(kinds["dicom"], taken=[item["case"] for item in files])
    items = sorted([*files, *series], key=lambda item: item["case"])
    outputs = mask_names([item["case"] for item in items], suffix=SUFFIX)
    return [{**item, "output": outputs[item["case"]]} for item in items]


def _kind(path: str) -> str:
    if not path.lower().endswith(OTHERS):  # listed for such a name, or for its content
        return "dicom"
    try:
        kind = sniff(path)
    except (OSError, ValueError):  # whoever reads it says so
        kind = "nifti"
    return kind if kind in ("dicom", "nifti") else "picture"


def _wanted(frames: Frames) -> str | tuple[int, ...] | None:
    if frames is None or frames == "all":
        return frames
    numbers = frames.split(",") if isinstance(frames, str) else [frames] if isinstance(frames, int) else frames
    try:
        wanted = () if isinstance(frames, bool) else tuple(int(number) for number in numbers)  # --frames alone is True
    except (TypeError, ValueError):
        wanted = ()
    if not wanted or min(wanted) < 0:
        raise ValueError(f"Expected --frames all, or indices from 0 such as 0,12, found {frames}; correct it.")
    return tuple(dict.fromkeys(wanted))


def _each_frame(items: Sequence[dict[str, Any]], wanted: str | tuple[int, ...] | None) -> list[dict[str, Any]]:
    """An item for each frame that is wanted; what has only one volume stays as it is."""
    counts = [item.pop("frames", None) for item in items]
    if wanted is None:
        return list(items)
    result: list[dict[str, Any]] = []
    for item, known in zip(items, counts, strict=True):
        count = known or _count(item)
        if count == 1:
            result.append(item)
            continue
        width = max(2, len(str(count - 1)))
        for frame in range(count) if wanted == "all" else wanted:
            stem = f"{without_suffix(item['output'])}_frame{frame:0{width}}"
            case, output = f"{item['case']} frame {frame}", short_name(stem + SUFFIX, SUFFIX)
            result.append({**item, "frame": frame, "case": case, "output": output})
    return _apart(result)


def _count(item: dict[str, Any]) -> int:
    path = item["image"]
    try:
        return count_frames(path) if isinstance(path, str) and _kind(path) == "nifti" else 1
    except (OSError, ValueError):  # whoever reads it says so
        return 1


def _apart(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """With another name for the mask of a frame that a mask of another file has."""
    taken = {item["output"].casefold() for item in items if "frame" not in item}
    for item in items:
        while "frame" in item and item["output"].casefold() in taken:
            item["output"] = short_name(f"{without_suffix(item['output'])}_{SUFFIX}", SUFFIX)
        taken.add(item["output"].casefold())
    return items
