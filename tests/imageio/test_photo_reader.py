import warnings

import nibabel
import numpy as np
import pytest
import torch
from monai.data import DataLoader, Dataset, decollate_batch
from monai.transforms import (
    AsDiscreted,
    Compose,
    EnsureChannelFirstd,
    Invertd,
    LoadImage,
    LoadImaged,
    Resized,
    SaveImaged,
)
from PIL import Image, ImageFile

from monai_sfda.imageio import PhotoReader, photo_reader
from monai_sfda.reading.read import read_stored

RED, GREY = (200, 30, 10), (90, 90, 90)


def load(path, reader=None, dtype=np.uint8):
    """(C, W, H), through MONAI."""
    return LoadImage(reader or PhotoReader(), dtype=dtype, ensure_channel_first=True)(str(path))


def flat(mode, colour, size=(6, 4)):
    return Image.new(mode, size, colour)


def palette(transparent=False):
    image = flat("P", 1)
    image.putpalette([0, 0, 0, *RED])
    if transparent:
        image.info["transparency"] = b"\xff\x00"
    return image


def cmyk():
    return flat("CMYK", (0, 0, 0, 165))  # 255 - 165 = 90


@pytest.mark.parametrize(
    ("make", "suffix", "expected"),
    [
        (lambda: flat("RGB", RED), "png", RED),
        (lambda: flat("RGB", RED), "BMP", RED),
        (lambda: flat("RGB", RED), "TIFF", RED),
        (lambda: flat("L", 90), "png", GREY),
        (lambda: flat("L", 90), "JPG", GREY),
        (lambda: flat("LA", (90, 0)), "png", GREY),
        (lambda: flat("RGBA", (*RED, 0)), "png", RED),
        (lambda: flat("RGBA", (*RED, 128)), "tif", RED),
        (palette, "png", RED),
        (lambda: palette(transparent=True), "png", RED),
        (cmyk, "jpeg", GREY),
        (cmyk, "tif", GREY),
        (lambda: flat("1", 1), "png", (255, 255, 255)),
        (lambda: flat("I;16", 90 * 257), "png", GREY),
        (lambda: flat("I;16", 90 * 257), "tif", GREY),
        (lambda: flat("I;16", 90), "png", GREY),
        (lambda: flat("F", 90.0), "tif", GREY),
        (lambda: flat("F", 90 / 255), "tif", GREY),
    ],
)
def test_pictures_of_every_mode_are_read_as_8_bit_rgb(tmp_path, make, suffix, expected):
    path = tmp_path / f"photo.{suffix}"
    make().save(path)
    image = load(path)
    assert image.shape == (3, 6, 4)
    assert image.dtype == torch.uint8
    # JPEG rounds its colour transform; every other format is exact.
    tolerance = 1 if suffix.lower() in ("jpg", "jpeg") else 0
    expected = torch.tensor(expected).view(3, 1, 1).expand(3, 6, 4)
    torch.testing.assert_close(image.as_tensor().int(), expected.int(), atol=tolerance, rtol=0)


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation_is_applied(tmp_path, suffix, orientation):
    upright = Image.fromarray(np.kron(np.array([[0, 80, 160], [240, 40, 120]], np.uint8), np.ones((8, 8), np.uint8)))
    # The inverse of what the tag asks a viewer to do.
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = upright.transpose(undo[orientation]) if orientation in undo else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"photo.{suffix}"
    stored.save(path, exif=exif)
    image = load(path, dtype=np.float32)
    assert image.shape == (3, 24, 16)
    expected = torch.tensor(np.array(upright).T, dtype=torch.float32).expand(3, -1, -1)
    # JPEG is lossy, but blocks of 8 x 8 of one level keep it within a few levels.
    torch.testing.assert_close(image.as_tensor(), expected, atol=3 if suffix == "jpg" else 0, rtol=0)


def test_a_photo_with_damaged_exif_is_still_read(tmp_path):
    flat("RGB", GREY).save(tmp_path / "photo.jpg", exif=b"Exif\x00\x00" + b"garbage" * 3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert load(tmp_path / "photo.jpg").shape == (3, 6, 4)


def test_a_tiff_of_several_pages_is_refused_but_a_small_copy_of_the_first_is_no_page(tmp_path):
    first, second = flat("RGB", RED), flat("RGB", GREY, (2, 2))
    first.save(tmp_path / "pages.tif", save_all=True, append_images=[second])
    with pytest.raises(ValueError, match=r"one picture in pages\.tif, found 2 pages"):
        read_stored(tmp_path / "pages.tif")
    second.encoderinfo = {"tiffinfo": {254: 1}}
    first.save(tmp_path / "preview.tif", save_all=True, append_images=[second])
    assert load(tmp_path / "preview.tif")[:, 0, 0].tolist() == list(RED)


def test_a_picture_of_too_many_pixels_is_decoded_in_a_subprocess(tmp_path, monkeypatch):
    flat("RGB", RED).save(tmp_path / "photo.png")
    monkeypatch.setattr(photo_reader, "read_image", None)
    monkeypatch.setattr(photo_reader, "HUGE", 24)  # 6 x 4
    assert load(tmp_path / "photo.png")[:, 0, 0].tolist() == list(RED)


def test_a_cut_file_says_what_to_do(tmp_path):
    flat("RGB", RED, (64, 64)).save(tmp_path / "cut.jpg")
    content = (tmp_path / "cut.jpg").read_bytes()
    (tmp_path / "cut.jpg").write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match=r"whole picture in cut\.jpg, found one that is damaged or cut short"):
        load(tmp_path / "cut.jpg")


@pytest.mark.parametrize("shape", [(6, 4), (6, 4, 1, 1, 3), (6, 4, 1, 3), (6, 4, 1)])
def test_nifti_pictures_keep_the_x_axis_first(tmp_path, shape):
    pixels = np.arange(np.prod(shape), dtype=np.int16).reshape(shape)
    nibabel.save(nibabel.Nifti1Image(pixels, np.eye(4)), tmp_path / "photo.nii.gz")
    image = load(tmp_path / "photo.nii.gz")
    expected = torch.tensor(pixels.reshape(6, 4, -1)).permute(2, 0, 1).expand(3, 6, 4)
    assert torch.equal(image.as_tensor().int(), expected.int())


def test_nifti_of_the_rgb_type_is_read(tmp_path):
    pixels = np.zeros((6, 4, 1), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    pixels["R"], pixels["G"], pixels["B"] = RED
    nibabel.save(nibabel.Nifti1Image(pixels, np.eye(4)), tmp_path / "photo.nii")
    assert load(tmp_path / "photo.nii")[:, 5, 3].tolist() == list(RED)


def test_a_nifti_volume_is_refused(tmp_path):
    nibabel.save(nibabel.Nifti1Image(np.zeros((6, 4, 9), np.uint8), np.eye(4)), tmp_path / "scan.nii")
    with pytest.raises(ValueError, match=r"Expected a 2D NIfTI image.* in scan.nii, found the shape \(6, 4, 9\)"):
        load(tmp_path / "scan.nii")


def test_several_files_are_stacked_as_in_monai(tmp_path):
    for name in ("a.png", "b.png"):
        flat("RGB", RED).save(tmp_path / name)
    reader = PhotoReader()
    pixels, _ = reader.get_data(reader.read([tmp_path / "a.png", tmp_path / "b.png"]))
    assert pixels.size == 2 * 3 * 6 * 4


def test_damaged_files_give_their_own_error_and_not_that_of_other_readers(tmp_path):
    (tmp_path / "text.png").write_text("I am a text")
    (tmp_path / "empty.png").touch()
    with pytest.raises(ValueError, match=r"Expected a png, jpeg, tiff or bmp picture in text.png, found other content"):
        load(tmp_path / "text.png")
    with pytest.raises(ValueError, match=r"empty.png, found an empty file"):
        load(tmp_path / "empty.png")
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "gone.png")
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False


def test_pillow_s_limit_on_the_number_of_pixels_is_respected(tmp_path, monkeypatch):
    flat("RGB", RED).save(tmp_path / "huge.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)  # 6 x 4 is more than twice that
    with pytest.raises(ValueError, match=r"reasonable size, found huge\.png .*exceeds limit"):
        load(tmp_path / "huge.png")


def test_uint8_loading_does_not_warn(tmp_path):
    flat("RGB", RED).save(tmp_path / "photo.png")
    loader = LoadImage(PhotoReader(), dtype=np.uint8)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loader(tmp_path / "photo.png")


def test_readers_accept_the_suffixes_in_any_case():
    assert PhotoReader().verify_suffix(["a.TIF", "b.nii.gz", "c.Jpeg"])
    assert not PhotoReader().verify_suffix("a.txt")


# Round trip

MARKED = np.zeros((40, 64), np.uint8)  # (H, W), bright in the upper left quarter and in one corner pixel block
MARKED[:20, :32] = 255
MARKED[36:, 60:] = 255


def predict_brightness(path, output, size=(32, 20)):
    """Segment what is bright through the transforms of an inference bundle; size is (W, H) halved."""
    before = Compose(
        [
            LoadImaged("image", reader=PhotoReader()),
            EnsureChannelFirstd("image"),
            Resized("image", spatial_size=size),
        ]
    )
    after = Compose(
        [
            Invertd("pred", transform=before, orig_keys="image", nearest_interp=False),
            AsDiscreted("pred", threshold=0.5),
            SaveImaged(
                "pred",
                output_dir=output,
                output_postfix="",
                output_ext=".png",
                output_dtype=np.uint8,
                separate_folder=False,
                print_log=False,
            ),
        ]
    )
    for batch in DataLoader(Dataset([{"image": str(path)}], before), batch_size=1):
        batch["pred"] = batch["image"].mean(dim=1, keepdim=True) / 255
        for item in decollate_batch(batch):
            after(item)
    return np.asarray(Image.open(output / f"{path.name.split('.')[0]}.png"))


def test_a_mask_comes_back_in_the_size_and_orientation_of_the_image(tmp_path):
    Image.fromarray(MARKED).save(tmp_path / "photo.png")
    mask = predict_brightness(tmp_path / "photo.png", tmp_path / "masks")
    assert mask.shape == (40, 64)
    assert set(np.unique(mask)) == {0, 1}
    # Edges lie on the coarse grid of 2 pixels: interpolation moves them by one pixel at most.
    assert np.mean(mask != MARKED // 255) < 0.03


def test_the_mask_of_a_rotated_photo_has_the_size_of_the_upright_picture(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(MARKED).transpose(Image.Transpose.ROTATE_90).save(tmp_path / "photo.png", exif=exif)
    mask = predict_brightness(tmp_path / "photo.png", tmp_path / "masks")
    assert mask.shape == (40, 64)
    assert np.mean(mask != MARKED // 255) < 0.03


def test_a_nifti_photo_and_its_png_give_the_same_mask(tmp_path):
    Image.fromarray(MARKED).save(tmp_path / "photo.png")
    nibabel.save(nibabel.Nifti1Image(MARKED.T, np.eye(4)), tmp_path / "scan.nii.gz")
    assert torch.equal(load(tmp_path / "photo.png").as_tensor(), load(tmp_path / "scan.nii.gz").as_tensor())
    # SaveImaged takes both suffixes of .nii.gz off.
    photo, scan = (predict_brightness(tmp_path / name, tmp_path / "masks") for name in ("photo.png", "scan.nii.gz"))
    assert np.array_equal(photo, scan)


def test_a_folder_scaled_file_by_file_is_said_once_and_one_rule_for_all_can_be_given(tmp_path, caplog):
    for number, largest in enumerate((255, 4095, 65535)):
        Image.fromarray(np.array([[0, 100, largest]], np.uint16)).save(tmp_path / f"{number}.png")
    reader = PhotoReader()
    seen = [int(reader.decode_array(tmp_path / f"{number}.png")[0, 1, 0]) for number in (0, 0, 1, 2)]
    assert seen == [100, 100, 6, 0]  # 100 * 255 / 4095 = 6.2
    assert len(caplog.messages) == 1
    assert "uint16 levels" in caplog.text
    assert "0 to 255 in 0.png, 0 to 4095 in 1.png" in caplog.text
    caplog.clear()
    reader = PhotoReader(levels=[0, 510])
    assert [int(reader.decode_array(tmp_path / f"{number}.png")[0, 1, 0]) for number in range(3)] == [50] * 3
    assert not caplog.messages


@pytest.mark.parametrize("levels", [[0], [9, 9], [1, 0], [0, 1, 2]])
def test_levels_that_do_not_rise_are_refused(levels):
    with pytest.raises(ValueError, match=r"Expected levels as \[black, white\]"):
        PhotoReader(levels=levels)


def test_it_says_what_was_read(tmp_path):
    nibabel.save(nibabel.Nifti1Image(np.full((6, 4), 300, np.int16), np.eye(4)), tmp_path / "a.nii")
    facts = PhotoReader().decode_with_facts(tmp_path / "a.nii").facts
    assert (facts.height, facts.width, facts.channels, facts.stored, facts.colours) == (4, 6, 1, "int16", "grey")
    assert (facts.black, facts.white, facts.scale_from) == (0, 4095, "values")
