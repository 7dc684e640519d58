"""A served mask lies on its volume, whatever MONAI Label wrote."""

import nibabel
import numpy as np
import pytest
from PIL import Image

from monai_sfda.label import lay_on_voxels

SHAPE = (4, 5, 3)
SHEARED = np.array([[0, 2, 0.3, 7], [2, 0, 0, -4], [0, 0, 5, 1], [0, 0, 0, 1.0]])


def write(path, values, affine, *, sform=0, qform=0, units=None):
    image = nibabel.Nifti1Image(values, affine)
    image.set_sform(affine, sform)
    image.set_qform(None, qform)
    image.header.set_xyzt_units(units)
    nibabel.save(image, path)
    return path


@pytest.mark.parametrize("name", ["scan.nii.gz", "scan.nii", "SCAN.NII.GZ"])
def test_position_codes_and_units_become_those_of_the_image(tmp_path, name):
    image = write(tmp_path / name, np.zeros(SHAPE, np.float32), SHEARED, sform=1, units="mm")
    ids = np.arange(60).reshape(SHAPE).astype(np.int16)
    mask = write(tmp_path / "mask.nii.gz", ids, np.eye(4), sform=2, qform=2)
    lay_on_voxels(mask, image)
    laid = nibabel.load(mask)
    assert np.array_equal(laid.affine, nibabel.load(image).affine)
    assert [int(laid.header[code]) for code in ("sform_code", "qform_code")] == [1, 0]
    assert laid.header.get_xyzt_units()[0] == "mm"
    assert laid.get_data_dtype() == np.uint8
    assert np.array_equal(np.asarray(laid.dataobj), ids)


def test_an_image_that_does_not_say_how_it_lies_gets_no_position_for_its_mask(tmp_path):
    image = write(tmp_path / "scan.nii.gz", np.zeros(SHAPE, np.float32), np.eye(4))
    mask = write(tmp_path / "mask.nii.gz", np.zeros(SHAPE, np.uint8), np.eye(4), sform=1, qform=1)
    lay_on_voxels(mask, image)
    header = nibabel.load(mask).header
    assert [int(header[code]) for code in ("sform_code", "qform_code")] == [0, 0]


@pytest.mark.parametrize(("mask", "image"), [("mask.png", "scan.nii.gz"), ("mask.nii.gz", "scan.png")])
def test_masks_and_images_of_other_kinds_stay_as_they_are(tmp_path, mask, image):
    for name in (mask, image):
        if name.endswith(".png"):
            Image.new("L", (4, 5)).save(tmp_path / name)
        else:
            write(tmp_path / name, np.zeros(SHAPE, np.uint8), SHEARED, sform=1)
    before = (tmp_path / mask).read_bytes()
    lay_on_voxels(tmp_path / mask, tmp_path / image)
    assert (tmp_path / mask).read_bytes() == before
