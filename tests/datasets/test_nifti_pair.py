"""Images and labels of a download as they have to be."""

import nibabel as nib
import numpy as np
import pytest

from monai_sfda.datasets.nifti_pair import exchange_ids, read_pair, with_stated_spacing

IDS = {200: 2, 500: 1}


def test_ids_are_exchanged():
    assert exchange_ids(np.array([0, 200, 500]), IDS).tolist() == [0, 2, 1]
    with pytest.raises(ValueError, match=r"found 0\.5, 3"):
        exchange_ids(np.array([0, 0.5, 3]), IDS)


def test_a_pair_is_on_one_grid(tmp_path):
    label = np.zeros((2, 3, 4), np.int16)
    label[0, 0] = 500
    nib.save(nib.Nifti1Image(label, np.eye(4)), tmp_path / "a.nii.gz")
    nib.save(nib.Nifti1Image(label, np.diag([1.0, 1, 2, 1])), tmp_path / "b.nii.gz")
    image, ids = read_pair(tmp_path / "a.nii.gz", tmp_path / "a.nii.gz", IDS)
    assert (image.shape, ids.dtype, ids.sum()) == ((2, 3, 4), np.uint8, 4)
    with pytest.raises(ValueError, match="Expected a label on the voxels of its image, found another position"):
        read_pair(tmp_path / "a.nii.gz", tmp_path / "b.nii.gz", IDS)


def test_the_spacing_of_the_header_goes_into_an_affine_that_keeps_its_axes():
    affine = np.array([[0, -1, 0, 5], [1, 0, 0, 6], [0, 0, 1, 7], [0, 0, 0, 1.0]])
    image = nib.Nifti1Image(np.zeros((2, 3, 4), np.int16), affine)
    image.header.set_zooms((1.5, 2.5, 10))
    repaired = with_stated_spacing(image)
    assert np.allclose(repaired.affine, [[0, -2.5, 0, 5], [1.5, 0, 0, 6], [0, 0, 10, 7], [0, 0, 0, 1]])
    assert np.allclose(repaired.header.get_zooms(), (1.5, 2.5, 10))
