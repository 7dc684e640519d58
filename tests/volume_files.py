"""Small volumes for tests of whole workflows."""

from pathlib import Path

import nibabel
import numpy as np


def write_volumes(folder: Path, count: int = 3, *, classes: int = 0, size: tuple[int, int, int] = (44, 40, 5)) -> Path:
    """Bright balls on a dark ground, X x Y x Z voxels of 2 x 2 x 8 mm; with ``classes``, the labelled layout."""
    generator = np.random.default_rng(0)
    places = np.stack(np.mgrid[: size[0], : size[1], : size[2]]).reshape(3, -1) * [[2], [2], [8]]
    for index in range(count):
        centre = np.array([40 - 2 * index, 36 + 2 * index, 16])
        distance = np.linalg.norm(places - centre[:, None], axis=0).reshape(size)
        values = (100 + 400 * (distance < 22) + generator.normal(0, 20, size)).astype(np.int16)
        ids = ((distance < 22).astype(np.uint8) + (distance < 12)).clip(max=classes)
        for name, array in (("image", values), ("mask", ids)):
            if name == "image" or classes:
                target = folder / name if classes else folder
                target.mkdir(parents=True, exist_ok=True)
                volume = nibabel.Nifti1Image(array, np.diag([-2.0, -2.0, 8.0, 1.0]))
                volume.header.set_xyzt_units("mm")
                nibabel.save(volume, target / f"case_{index}.nii.gz")
    return folder
