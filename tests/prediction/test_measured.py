"""Masks of volumes that a person has corrected and saved with other software."""

import nibabel
import numpy as np
import pytest
from PIL import Image

from monai_sfda.prediction.made_with import UNKNOWN, MadeWith
from monai_sfda.prediction.measured import measured_row
from monai_sfda.prediction.no_findings import NO_FINDINGS

MM = np.diag([-1.5, -1.5, 10.0, 1.0])
IDS = np.zeros((8, 6, 4), np.uint8)
IDS[2:4, 1:5, 1:3] = 1


def saved(path, values, affine=MM, zooms=None):
    image = nibabel.Nifti1Image(values, affine)
    if zooms is not None:  # as in the release of ACDC: the affine counts in voxels
        image.header["pixdim"][1:4] = zooms
    nibabel.save(image, path)
    return path


def row(mask, reader=UNKNOWN, **image):
    owner = {"case": "a.nii.gz", **image}
    return measured_row(mask, owner, {1: "cavity"}, NO_FINDINGS, reader)


@pytest.fixture
def image(tmp_path):
    return {"image": str(saved(tmp_path / "a.nii.gz", np.arange(192, dtype=np.int16).reshape(IDS.shape)))}


def test_a_mask_of_another_direction_is_measured_on_the_voxels_of_its_image(tmp_path, image):
    turned = MM @ np.array([[-1, 0, 0, 7], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]])
    found = row(saved(tmp_path / "mask.nii.gz", IDS[::-1], turned), **image)
    assert (found["cavity_voxels"], found["cavity_ml"]) == (16, pytest.approx(16 * 22.5 / 1000))


def test_a_mask_that_has_lost_the_sizes_of_its_image_is_refused(tmp_path):
    counting = np.diag([-1.0, -1.0, 1.0, 1.0])
    path = saved(tmp_path / "a.nii.gz", np.arange(192, dtype=np.int16).reshape(IDS.shape), counting, (1.5, 1.5, 10))
    mask = saved(tmp_path / "mask.nii.gz", IDS, counting)
    with pytest.raises(ValueError, match="on the voxels of its image, found other places"):
        row(mask, image=str(path))


def test_a_mask_that_was_cut_is_refused(tmp_path, image):
    with pytest.raises(ValueError, match="on the voxels of its image, found 7 x 6 x 4 for 8 x 6 x 4"):
        row(saved(tmp_path / "mask.nii.gz", IDS[:-1]), **image)


def test_the_size_given_for_an_image_that_states_none_stays_in_its_mask(tmp_path):
    path = tmp_path / "a.nii.gz"
    saved(path, np.arange(192, dtype=np.int16).reshape(IDS.shape), None)
    found = row(saved(tmp_path / "mask.nii.gz", IDS), image=str(path))
    assert found["cavity_ml"] == pytest.approx(16 * 22.5 / 1000)


def test_a_mask_without_an_image_is_measured_by_its_own_header(tmp_path):
    assert row(saved(tmp_path / "mask.nii.gz", IDS))["cavity_ml"] == pytest.approx(16 * 22.5 / 1000)


@pytest.mark.parametrize(("pixel_size", "ml"), [((1.5, 1.5), None), ((10, 1.5, 1.5), 16 * 22.5 / 1000)])
def test_the_size_given_for_pictures_counts_and_not_what_their_mask_says(tmp_path, pixel_size, ml):
    for number in range(4):
        Image.fromarray(np.arange(48, dtype=np.uint8).reshape(6, 8)).save(tmp_path / f"{number}.png")
    assumed = saved(tmp_path / "mask.nii.gz", IDS, np.diag([-1.5, -1.5, 1.0, 1.0]))
    paths = [str(tmp_path / f"{number}.png") for number in range(4)]
    found = row(assumed, MadeWith(pixel_size=pixel_size), image=paths)
    assert found["cavity_ml"] == (ml and pytest.approx(ml))
    assert (found["slices"], found["cavity_slices"]) == (4, 2)


@pytest.mark.parametrize(("spacing", "slices"), [((1.0, 1.0), (8, 2)), ((1.0, 1.0, 1.0), (4, 2)), (None, (8, 2))])
def test_slices_are_counted_along_the_axis_of_the_network(tmp_path, spacing, slices):
    sagittal = np.diag([10.0, 1.5, 1.5, 1.0])
    path = saved(tmp_path / "a.nii.gz", np.arange(192, dtype=np.int16).reshape(IDS.shape), sagittal)
    mask = saved(tmp_path / "mask.nii.gz", IDS, sagittal)
    found = row(mask, UNKNOWN if spacing is None else MadeWith(spacing), image=str(path))
    assert (found["slices"], found["cavity_slices"]) == slices


def test_a_tilted_mask_has_the_volume_of_its_voxels(tmp_path):
    tilted = MM.copy()
    tilted[1, 2] = 7.0
    assert row(saved(tmp_path / "mask.nii.gz", IDS, tilted))["cavity_ml"] == pytest.approx(16 * 22.5 / 1000)
