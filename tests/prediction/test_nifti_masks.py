import gzip
import os

import nibabel
import numpy as np
import pytest
from PIL import Image

from monai_sfda.prediction.nifti_masks import nifti_mask, write_nifti
from monai_sfda.reading.read import read_image

TURNED = np.array([[0.0, -0.02, 0, 5], [0.01, 0, 0, -7], [0, 0, 1, 2], [0, 0, 0, 1]])  # columns along A, rows along -R
IDS = np.zeros((4, 6), np.uint8)  # (H, W)
IDS[1, 2:5], IDS[1, 3] = 1, 2
PHOTO = (
    np.where(IDS[..., None] > 0, 200, 40 + np.arange(24, dtype=np.uint8).reshape(4, 6, 1)).repeat(3, -1).astype("u1")
)
RGB = np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")])


def mask_of(image, ids=IDS):
    return nibabel.Nifti1Image.from_bytes(gzip.decompress(nifti_mask(image, ids)))


def save_nifti(path, data, affine=TURNED, unit="mm"):
    image = nibabel.Nifti1Image(data, affine)
    image.header.set_xyzt_units(unit)
    image.header["descrip"] = b"Doe^Jane"
    nibabel.save(image, path)
    return path


def save_dicom(path, **header):
    pydicom = pytest.importorskip("pydicom")
    data = pydicom.Dataset()
    data.file_meta = pydicom.dataset.FileMetaDataset()
    data.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    data.SOPClassUID = pydicom.uid.OphthalmicPhotography8BitImageStorage
    data.SOPInstanceUID = "1.2.3"
    for name, value in header.items():
        setattr(data, name, value)
    data.save_as(path, enforce_file_format=True)
    return path


@pytest.mark.parametrize(
    ("data", "shape"),
    [
        (PHOTO[..., 0].T, (6, 4)),
        (PHOTO[..., 0].T[..., None], (6, 4, 1)),
        (np.ascontiguousarray(PHOTO.swapaxes(0, 1)).view(RGB)[..., 0], (6, 4)),
        (PHOTO.swapaxes(0, 1)[:, :, None], (6, 4, 1)),
        (PHOTO.swapaxes(0, 1)[:, :, None, None], (6, 4, 1)),
    ],
    ids=["grey", "one slice", "RGB", "as MONAI", "vectors"],
)
def test_a_mask_has_the_voxels_of_its_nifti_image(tmp_path, data, shape):
    image = save_nifti(tmp_path / "a.nii.gz", data)
    ids = (read_image(image).pixels[..., 0] > 100).astype(np.uint8)  # segmented as it is decoded
    mask = mask_of(image, ids)
    assert mask.shape == shape
    voxels = data["R"] if data.dtype.names else data.reshape(6, 4, -1)[..., 0]
    assert (mask.get_fdata().reshape(6, 4) == (voxels > 100)).all()
    assert mask.get_data_dtype() == np.uint8
    np.testing.assert_array_equal(mask.affine, nibabel.load(image).affine)


@pytest.mark.parametrize(("qform", "sform"), [(1, 0), (0, 2), (1, 4), (0, 0)])
def test_both_transforms_of_a_nifti_image_stay_as_they_are(tmp_path, qform, sform):
    image = nibabel.Nifti1Image(PHOTO[..., 0].T, TURNED)
    image.set_sform(TURNED + np.eye(4, k=3), sform)  # shifted: two transforms that disagree
    image.set_qform(TURNED, qform)
    nibabel.save(image, tmp_path / "a.nii")
    mask, saved = mask_of(tmp_path / "a.nii"), nibabel.load(tmp_path / "a.nii")
    for field in ("qform_code", "sform_code", "pixdim", "srow_x", "qoffset_x", "quatern_d", "xyzt_units"):
        np.testing.assert_array_equal(mask.header[field], saved.header[field], err_msg=field)
    np.testing.assert_array_equal(mask.affine, saved.affine)


def test_a_mask_tells_nothing_of_the_header_but_where_it_lies(tmp_path):
    image = save_nifti(tmp_path / "a.nii.gz", PHOTO[..., 0].T)
    content = gzip.decompress(nifti_mask(image, IDS))
    assert b"Doe" in gzip.decompress(image.read_bytes())
    assert b"Doe" not in content


def test_a_nifti_2_image_has_a_nifti_2_mask(tmp_path):
    nibabel.save(nibabel.Nifti2Image(PHOTO[..., 0].T, TURNED), tmp_path / "a.nii")
    mask = nibabel.Nifti2Image.from_bytes(gzip.decompress(nifti_mask(tmp_path / "a.nii", IDS)))
    np.testing.assert_array_equal(mask.affine, TURNED)
    np.testing.assert_array_equal(np.asarray(mask.dataobj), IDS.T)


def test_a_picture_is_upright_with_columns_to_the_left_and_rows_to_the_back(tmp_path):
    Image.fromarray(PHOTO).save(tmp_path / "a.png")
    mask = mask_of(tmp_path / "a.png")
    np.testing.assert_array_equal(np.asarray(mask.dataobj), IDS.T)
    np.testing.assert_array_equal(mask.affine, np.diag([-1.0, -1, 1, 1]))
    assert mask.header.get_xyzt_units()[0] == "unknown"


@pytest.mark.parametrize(
    ("name", "options", "size"),
    [
        ("a.jpg", {"dpi": (254, 127)}, (0.1, 0.2)),  # 25.4 mm to the inch
        ("a.jpg", {}, (1, 1)),
        ("a.tif", {"dpi": (254, 127)}, (0.1, 0.2)),
        ("a.png", {"dpi": (254, 127)}, (1, 1)),  # which ITK does not read
        ("a.bmp", {}, (1, 1)),
    ],
)
def test_pixels_of_a_picture_are_as_large_as_itk_shows_them(tmp_path, name, options, size):
    Image.fromarray(PHOTO).save(tmp_path / name, **options)
    mask = mask_of(tmp_path / name)
    assert mask.header.get_zooms() == pytest.approx(size, rel=1e-6)  # float32
    np.testing.assert_allclose(mask.affine[:2, :2], -np.diag(size), rtol=1e-6)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_mask_of_a_turned_picture_lies_on_it_as_it_is_stored(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = np.arange(24, dtype=np.uint8).reshape(4, 6)
    Image.fromarray(stored).save(tmp_path / "a.png", exif=exif)
    upright = read_image(tmp_path / "a.png").pixels[..., 0]
    assert upright.shape == ((4, 6) if orientation < 5 else (6, 4))
    mask = mask_of(tmp_path / "a.png", upright)
    np.testing.assert_array_equal(np.asarray(mask.dataobj), stored.T)
    np.testing.assert_array_equal(mask.affine, np.diag([-1.0, -1, 1, 1]))


def test_a_dicom_photograph_gives_its_spacing(tmp_path):
    mask = mask_of(save_dicom(tmp_path / "a.dcm", PixelSpacing=[0.02, 0.01]))  # height, width
    assert mask.shape == (6, 4, 1)
    np.testing.assert_array_equal(np.asarray(mask.dataobj)[..., 0], IDS.T)
    np.testing.assert_allclose(mask.affine, np.diag([-0.01, -0.02, 1, 1]), rtol=1e-6)
    assert mask.header.get_xyzt_units()[0] == "mm"


def test_a_dicom_photograph_without_spacing_is_upright_all_the_same(tmp_path):
    mask = mask_of(save_dicom(tmp_path / "a.dcm"))
    np.testing.assert_array_equal(mask.affine, np.diag([-1.0, -1, 1, 1]))
    assert mask.header.get_xyzt_units()[0] == "unknown"


def test_a_dicom_slice_lies_where_its_header_says(tmp_path):
    axes = [0, 1, 0, 0, 0, -1]  # a row runs to the back, a column down
    place = {"PixelSpacing": [0.02, 0.01], "ImageOrientationPatient": axes, "ImagePositionPatient": [3, 4, 5]}
    mask = mask_of(save_dicom(tmp_path / "a.dcm", **place))
    # Pixel in column 2 of row 1: L = 3, P = 4 + 2 * 0.01, S = 5 - 1 * 0.02; R and A are the negatives of L and P.
    np.testing.assert_allclose(mask.affine @ [2, 1, 0, 1], [-3, -4.02, 4.98, 1], rtol=1e-6)


@pytest.fixture
def predicted(tmp_path):
    (tmp_path / "masks" / "b").mkdir(parents=True)
    Image.fromarray(IDS).save(tmp_path / "masks" / "b" / "a.png")
    Image.fromarray(PHOTO).save(tmp_path / "a.png")
    return tmp_path


ROW = {"file": "b/a.png", "mask": "b/a.png"}


def test_files_are_named_as_masks_and_not_written_twice(predicted):
    images = {"b/a.png": {"image": predicted / "a.png"}}
    write_nifti(predicted, [ROW], images)
    target = predicted / "nifti" / "b" / "a.nii.gz"
    first, written = target.read_bytes(), target.stat().st_mtime_ns
    write_nifti(predicted, [ROW], images)
    assert target.stat().st_mtime_ns == written
    target.unlink()
    write_nifti(predicted, [ROW], images)
    assert target.read_bytes() == first
    assert [path.name for path in target.parent.iterdir()] == ["a.nii.gz"]


def test_a_file_older_than_its_mask_is_written_anew(predicted):
    images = {"b/a.png": {"image": predicted / "a.png"}}
    write_nifti(predicted, [ROW], images)
    target, mask = predicted / "nifti" / "b" / "a.nii.gz", predicted / "masks" / "b" / "a.png"
    Image.fromarray(IDS * 0).save(mask)
    later = target.stat().st_mtime_ns + 1_000_000_000
    os.utime(mask, ns=(later, later))
    write_nifti(predicted, [ROW], images)
    assert not np.asarray(nibabel.load(target).dataobj).any()


def test_an_image_that_is_gone_or_broken_costs_a_row(predicted):
    (predicted / "Doe_Jane.nii").write_bytes(b"junk")
    Image.fromarray(IDS).save(predicted / "masks" / "c.png")
    rows = [{"file": "x", "mask": "c.png"}, {"file": "y", "mask": "c.png"}, ROW]
    images = {"b/a.png": {"image": predicted / "a.png"}, "x": {"image": predicted / "Doe_Jane.nii"}}
    write_nifti(predicted, rows, images)
    assert [path.name for path in (predicted / "nifti").rglob("*.nii.gz")] == ["a.nii.gz"]
    table = (predicted / "nifti_failures.csv").read_text(encoding="utf-8-sig").splitlines()
    assert [line.partition(",")[0] for line in table] == ["case", "x", "y"]
    assert not any("Doe" in line for line in table)


def test_a_picture_wider_than_nifti_1_can_count_has_a_mask(tmp_path):
    Image.fromarray(np.zeros((1, 33000), np.uint8)).save(tmp_path / "a.png")
    ids = np.arange(33000, dtype=np.uint8)[None]
    mask = nibabel.Nifti2Image.from_bytes(gzip.decompress(nifti_mask(tmp_path / "a.png", ids)))
    assert np.array_equal(np.asarray(mask.dataobj), ids.T)


def test_a_dicom_spacing_that_cannot_be_read_is_none(tmp_path):
    path = save_dicom(tmp_path / "a.dcm", PixelSpacing=["0.1234", "0.1234"])
    path.write_bytes(path.read_bytes().replace(b"0.1234\\0.1234", b"0,1234\\0,1234"))
    mask = mask_of(path)
    np.testing.assert_array_equal(mask.affine, np.diag([-1.0, -1, 1, 1]))
    assert mask.header.get_xyzt_units()[0] == "unknown"
