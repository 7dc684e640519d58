import nibabel
import numpy as np
import pytest
from PIL import Image

from monai_sfda.mask_file import image_of, is_volume, nifti_comment, png_text, row_of

ROW = {"file": "ä/a.nii.gz", "flags": {"missing_x": "0, limit 1"}, "x_ml": None}
IDS = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)


def write(path, ids=IDS, row=ROW, image="0123"):
    if is_volume(path):
        volume = nibabel.Nifti1Image(ids, np.eye(4))
        volume.header.extensions.append(nifti_comment(row, image, ids))
        nibabel.save(volume, path)
    else:
        Image.fromarray(ids[0]).save(path, pnginfo=png_text(row, image))
    return path


@pytest.mark.parametrize("name", ["a.png", "a.nii.gz"])
def test_row_and_image_come_back(name, tmp_path):
    path = write(tmp_path / name)
    assert row_of(path) == ROW
    assert image_of(path) == "0123"
    assert row_of(write(tmp_path / name, row=None)) is None


def test_a_row_does_not_outlive_other_voxels_in_the_same_header(tmp_path):
    path = write(tmp_path / "a.nii.gz")
    volume = nibabel.load(path)
    for changed in (IDS[::-1].copy(), IDS.astype(np.float32)):
        volume.header.set_data_dtype(changed.dtype)
        nibabel.save(nibabel.Nifti1Image(changed, volume.affine, volume.header), tmp_path / "b.nii.gz")
        assert row_of(tmp_path / "b.nii.gz") is None
        assert image_of(tmp_path / "b.nii.gz") == "0123"


def test_comments_of_other_software_are_no_rows(tmp_path):
    volume = nibabel.Nifti1Image(IDS, np.eye(4))
    volume.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", b"drawn by hand"))
    nibabel.save(volume, tmp_path / "a.nii.gz")
    assert row_of(tmp_path / "a.nii.gz") is None
    assert image_of(tmp_path / "a.nii.gz") is None


@pytest.mark.parametrize("name", ["a.png", "a.nii.gz"])
@pytest.mark.parametrize("share", [0, 0.5, 0.95])
def test_a_damaged_mask_is_one_sentence(name, share, tmp_path):
    path = write(tmp_path / name, np.random.default_rng(0).integers(0, 3, (40, 40, 9)).astype(np.uint8))
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    if is_volume(path) or share == 0:
        with pytest.raises(ValueError, match="found a damaged file"):
            row_of(path)
    image_of(path)  # who reads the row says what is wrong


def test_no_mask_is_an_error_of_its_own(tmp_path):
    with pytest.raises(FileNotFoundError):
        image_of(tmp_path / "a.nii.gz")
    with pytest.raises(FileNotFoundError):
        image_of(tmp_path / "a.png")
