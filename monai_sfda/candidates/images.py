"""The images of a run: what kind they are, how they are found, and copies for the person who outlines them."""

from __future__ import annotations

import gzip
import hashlib
import os
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from monai.bundle import ConfigParser

from monai_sfda.candidates.candidate import Candidate
from monai_sfda.candidates.run import find_images_folder, reading_options
from monai_sfda.candidates.structures import Structures
from monai_sfda.data import find_images
from monai_sfda.files import paths_of
from monai_sfda.json_file import read_json, write_json
from monai_sfda.volumes import Volume, VolumeReader, find_volumes

__all__ = [
    "OtherImages",
    "copy_volume",
    "find_pictures",
    "find_run_volumes",
    "keep_list",
    "list_images",
    "spacing_of_copy",
    "volume_reader",
]

LISTED = Path("choice", "images.json")
SEGMENTED = Path("choice", "segmented.json")
ENDS = 2**16
"""Bytes at the beginning and the end of a file, by which it is known again."""


class OtherImages(ValueError):
    """Masks of two networks would not be of the same images."""


def find_pictures(run: Path) -> dict[str, str]:
    """Case -> path of all pictures of a run."""
    return {item["case"]: item["image"] for item in find_images(find_images_folder(run))}


def list_images(run: Path, structures: Structures) -> list[dict[str, Any]]:
    """All images of a run, which have to be those that its first network met.

    Writes what their files are known by into ``run/choice/segmented.json``.

    Raises:
        OtherImages: if the file of an image is another one than before.
    """
    found = list(find_run_volumes(run).values() if structures.volumes else find_images(find_images_folder(run)))
    known = {item["case"]: _known_by(item) for item in found}
    before = read_json(run / SEGMENTED) if (run / SEGMENTED).is_file() else {}
    if changed := [case for case, now in known.items() if before.get(case, now) != now]:
        raise OtherImages(
            f"Expected the images that the source network segmented, found {len(changed)} with other content "
            f"({changed[0]}); delete {run / 'choice'} and {run / 'outline'} to begin anew."
        )
    write_json(run / SEGMENTED, {**known, **before}, indent=None)
    return found


def keep_list(run: Path, images: Iterable[Mapping[str, Any]], cases: Collection[str]) -> dict[str, str]:
    """The option of a prediction that makes it look at ``cases`` alone, so that nobody is warned of others again.

    Writes ``run/choice/images.json``.
    """
    write_json(run / LISTED, {"images": [item for item in images if item["case"] in cases]}, indent=None)
    # By a reference, since a sign in the name of a folder would be taken for one.
    return {
        "listed": f"$monai.bundle.ConfigParser.load_config_file(str(@results_dir) + '/../../{LISTED.name}')['images']"
    }


def _known_by(item: Mapping[str, Any]) -> str:
    """Checksum of the sizes and both ends of the files of an image: whole series would take minutes."""
    digest = hashlib.sha256()
    for path in paths_of(item["image"]):
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            digest.update(f"{size} ".encode() + file.read(ENDS))
            file.seek(max(0, size - ENDS))
            digest.update(file.read(ENDS))
    return digest.hexdigest()


def find_run_volumes(run: Path) -> dict[str, dict[str, Any]]:
    """Case -> item of all volumes of a run, as its adaptation found them."""
    listed = {name: value for name, value in reading_options(run).items() if name in ("frames", "group")}
    return {item["case"]: item for item in find_volumes(find_images_folder(run), **listed)}


def volume_reader(run: Path, source: Candidate) -> VolumeReader:
    """What read the volumes of a run."""
    parser = ConfigParser({"reader": read_json(source.bundle / "configs" / "inference.json")["reader"]})
    parser.update({name: value for name, value in reading_options(run).items() if name.startswith("reader")})
    return parser.get_parsed_content("reader")


def copy_volume(item: Mapping[str, Any], path: Path, *, reader: VolumeReader) -> None:
    """Write one volume, whatever kind of files hold it, as compressed NIfTI: its voxels and where they lie, no texts.

    The copy states a size and a place only as far as they are known, see `monai_sfda.volumes.Volume`.
    """
    _, _, volume = reader.read(item)
    path.write_bytes(gzip.compress(_nifti(volume).to_bytes(), compresslevel=1, mtime=0))


def spacing_of_copy(path: Path) -> tuple[float, ...] | None:
    """Size of a voxel in mm along each axis of a copy by `copy_volume`; None where it is not known."""
    header: Any = nibabel.load(path).header
    return tuple(map(float, header.get_zooms()[:3])) if header.get_xyzt_units()[0] == "mm" else None


def _nifti(volume: Volume) -> nibabel.Nifti1Image:
    values = volume.values
    if values.dtype.itemsize > 4:  # which other software does not read
        values = values.astype(np.float32)
    image = nibabel.Nifti1Image(values, volume.affine if volume.placed and volume.measured else None)
    if volume.measured:
        image.header.set_zooms(volume.zooms)
        image.header.set_xyzt_units("mm")
    return image
