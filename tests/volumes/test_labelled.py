"""A volume and its label map are read onto one grid."""

import nibabel
import numpy as np
import pytest

from monai_sfda.volumes import ReadVolumePair, VolumeReader

READER = VolumeReader([2.0, 2.0], percentiles=[0, 100])


def write(folder, label, *, affine=None, label_affine=None):
    generator = np.random.default_rng(0)
    affine = np.diag([1.0, 1.0, 8.0, 1.0]) if affine is None else affine
    item = {"case": "a.nii.gz", "image": str(folder / "image.nii.gz"), "label": str(folder / "label.nii.gz")}
    nibabel.save(nibabel.Nifti1Image(generator.random(label.shape, np.float32), affine), item["image"])
    nibabel.save(nibabel.Nifti1Image(label, affine if label_affine is None else label_affine), item["label"])
    return item


def blocks():
    """Ids in blocks of 2 x 2 voxels, so that half of the resolution loses none."""
    return np.random.default_rng(1).integers(0, 3, (4, 5, 3), dtype=np.uint8).repeat(2, 0).repeat(2, 1)


def test_image_and_label_have_the_grid_of_the_network(tmp_path):
    item = ReadVolumePair(READER, [0, 1, 2])(write(tmp_path, blocks()))
    assert item["image"].shape == item["label"].shape == (1, 3, 5, 4)
    assert item["image"].dtype == item["label"].dtype
    # columns run to the left and rows to the back of the patient, against the axes of the file
    expected = blocks()[::2, ::2].transpose(2, 1, 0)[:, ::-1, ::-1]
    assert np.array_equal(item["label"][0].numpy(), expected)


def test_an_id_that_nobody_expects_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"Expected class ids 0, 1 in the label map, found 2; correct it, or mask_ids"):
        ReadVolumePair(READER, [1, 0])(write(tmp_path, blocks()))


def test_a_label_that_lies_elsewhere_is_refused(tmp_path):
    elsewhere = np.diag([1.0, 1.0, 8.0, 1.0])
    elsewhere[0, 3] = 5
    with pytest.raises(ValueError, match="on the voxels of its image, found other places in its affine"):
        ReadVolumePair(READER, [0, 1, 2])(write(tmp_path, blocks(), label_affine=elsewhere))
