"""Tiny volumes as downloads hold them, and what a preparation made of them."""

import nibabel as nib
import numpy as np

SHAPE = (4, 5, 3)


def save(path, values, affine=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nib.Nifti1Image(np.asarray(values, np.int16), np.diag([-1.5, -1.5, 10, 1]) if affine is None else affine)
    nib.save(image, path)


def label(*values):
    """One voxel of each value."""
    ids = np.zeros(SHAPE)
    ids[0, : len(values), 0] = values
    return ids


def ids(path):
    return np.asarray(nib.load(path).dataobj)[0, :3, 0].tolist()


def names(folder):
    return sorted(path.name.removesuffix(".nii.gz") for path in folder.iterdir())


def nothing_written(tmp_path):
    return not any(path.name.startswith(("out", ".out")) for path in tmp_path.iterdir())
