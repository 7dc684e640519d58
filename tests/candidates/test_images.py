"""Volumes of a run, and their copies for the person who outlines them."""

import json

import nibabel
import numpy as np
import pytest
from bundle_support import ROOT
from candidate_support import copy_bundle
from PIL import Image
from volume_files import write_volumes

from monai_sfda.candidates.candidate import Candidate
from monai_sfda.candidates.images import (
    OtherImages,
    copy_volume,
    find_run_volumes,
    list_images,
    spacing_of_copy,
    volume_reader,
)
from monai_sfda.candidates.run import record_source
from monai_sfda.candidates.structures import Structures
from monai_sfda.volumes import VolumeReader, read_volume

HEART = ROOT / "bundles" / "heart_cine_mri"


def copied(item, target, **reader):
    copy_volume(item, target, reader=VolumeReader([2, 2], percentiles=[0.5, 99.5], **reader))
    return nibabel.load(target)


def test_a_copy_has_the_voxels_and_the_place_but_no_texts(tmp_path):
    path = write_volumes(tmp_path / "data", 1) / "case_0.nii.gz"
    image = nibabel.load(path)
    image.header["descrip"] = b"Doe, Jane"
    nibabel.save(image, path)
    copy = copied({"image": str(path)}, tmp_path / "copy.nii.gz")
    assert np.array_equal(copy.dataobj, image.dataobj)
    assert np.array_equal(copy.affine, image.affine)
    assert b"Doe" not in copy.header.binaryblock
    assert spacing_of_copy(tmp_path / "copy.nii.gz") == (2, 2, 8)


def test_a_frame_is_a_volume_of_its_own(tmp_path):
    frames = np.arange(2 * 3 * 4 * 2, dtype=np.int64).reshape(2, 3, 4, 2)
    nibabel.save(nibabel.Nifti1Image(frames, np.diag([2.0, 2, 8, 1]), dtype="int64"), tmp_path / "cine.nii")
    copy = copied({"image": str(tmp_path / "cine.nii"), "frame": 1}, tmp_path / "copy.nii.gz")
    assert np.array_equal(copy.dataobj, frames[..., 1])


def test_a_series_becomes_one_volume(tmp_path):
    pytest.importorskip("pydicom")
    from dicom_series import write_series

    files = write_series(tmp_path / "scan")
    copy = copied({"image": files}, tmp_path / "copy.nii.gz")
    volume = read_volume(files)
    assert np.array_equal(copy.dataobj, volume.values)
    assert np.allclose(copy.affine, volume.affine, atol=1e-4)
    assert spacing_of_copy(tmp_path / "copy.nii.gz") == pytest.approx((1.25, 1.5, 8))


@pytest.mark.parametrize(("pixel_size", "spacing"), [([8, 1.5, 1.25], (1.25, 1.5, 8)), (1.25, None)])
def test_pictures_state_a_size_only_where_it_is_known(tmp_path, pixel_size, spacing):
    paths = [str(tmp_path / f"{number}.png") for number in range(3)]
    slices = np.random.default_rng(0).integers(0, 255, (3, 6, 5), dtype=np.uint8)
    for path, pixels in zip(paths, slices, strict=True):
        Image.fromarray(pixels).save(path)
    copy = copied({"image": paths}, tmp_path / "copy.nii.gz", pixel_size=pixel_size)
    assert np.array_equal(copy.dataobj, slices.transpose(2, 1, 0))
    assert spacing_of_copy(tmp_path / "copy.nii.gz") == (spacing and pytest.approx(spacing))
    again = read_volume(tmp_path / "copy.nii.gz")
    assert (again.placed, again.measured) == (False, spacing is not None)


def test_a_run_finds_and_reads_its_volumes_as_its_adaptation_did(tmp_path):
    bundle = copy_bundle(HEART, tmp_path / "bundle", b"weights")
    volumes, run = write_volumes(tmp_path / "volumes", 2), tmp_path / "run"
    frames = [nibabel.load(volumes / f"case_{number}.nii.gz") for number in range(2)]
    nibabel.save(nibabel.concat_images(frames), volumes / "cine.nii.gz")
    options = {"frames": (1,), "reader::pixel_size": (8, 1.5, 1.5)}
    record_source(run, bundle=bundle, images=volumes, overrides={**options, "epochs": 2})
    assert json.loads((run / "choice.json").read_text())["reading"] == {
        "frames": [1],
        "reader::pixel_size": [8, 1.5, 1.5],
    }
    assert list(find_run_volumes(run)) == ["case_0.nii.gz", "case_1.nii.gz", "cine.nii.gz frame 1"]
    reader = volume_reader(run, Candidate("source", bundle, bundle / "models" / "model.pt", {}))
    assert (reader.pixel_size, reader.by_slices) == ((8, 1.5, 1.5), True)


def test_images_that_changed_after_the_source_network_saw_them_are_refused(tmp_path):
    """Else the candidates would be compared on different pictures."""
    bundle, images, run = copy_bundle(HEART, tmp_path / "bundle", b"weights"), tmp_path / "images", tmp_path / "run"
    images.mkdir()
    for number in range(3):
        Image.fromarray(np.full((8, 8), number, np.uint8)).save(images / f"{number}.png")
    record_source(run, bundle=bundle, images=images, overrides={})
    structures = Structures(["cup"], [[1]], "sigmoid", True)
    assert [item["case"] for item in list_images(run, structures)] == ["0.png", "1.png", "2.png"]
    Image.fromarray(np.full((8, 8), 3, np.uint8)).save(images / "3.png")  # one more may come
    assert len(list_images(run, structures)) == 4
    Image.fromarray(np.full((8, 8), 9, np.uint8)).save(images / "1.png")
    with pytest.raises(OtherImages, match=r"found 1 with other content \(1\.png\); delete"):
        list_images(run, structures)
