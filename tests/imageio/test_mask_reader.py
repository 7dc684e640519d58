import struct

import nibabel
import numpy as np
import pytest
import tifffile
import torch
from monai.transforms import LoadImage
from PIL import Image

from monai_sfda.imageio import MaskReader

IDS = np.array([[0, 1, 2], [1, 2, 2]], np.uint8)  # (H, W)


def read(path, reader):
    """(1, W, H), through MONAI."""
    return LoadImage(reader, dtype=np.uint8, ensure_channel_first=True)(str(path))


def mask_of(mode):
    image = Image.fromarray(IDS)
    if mode == "P":
        image = image.copy()
        image.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0])
    elif mode in ("I;16", "F"):
        image = Image.fromarray(IDS.astype({"I;16": np.uint16, "F": np.float32}[mode]))
    elif mode != "L":
        image = image.convert(mode)
    return image


@pytest.mark.parametrize(
    ("mode", "suffix"),
    [
        ("L", "png"),
        ("L", "tif"),
        ("P", "png"),
        ("P", "bmp"),
        ("RGB", "png"),
        ("RGBA", "png"),
        ("LA", "png"),
        ("I;16", "png"),
        ("F", "tif"),
    ],
)
def test_masks_are_read_as_class_ids(tmp_path, mode, suffix):
    mask_of(mode).save(tmp_path / f"mask.{suffix}")
    mask = read(tmp_path / f"mask.{suffix}", MaskReader([0, 1, 2]))
    assert torch.equal(mask.as_tensor(), torch.tensor(IDS.T)[None])


def test_one_bit_masks_hold_the_ids_0_and_1(tmp_path):
    Image.fromarray(IDS > 0).save(tmp_path / "mask.png")
    assert torch.equal(read(tmp_path / "mask.png", MaskReader()).as_tensor(), torch.tensor(IDS.T > 0).byte()[None])


def test_nifti_masks_are_read_as_class_ids(tmp_path):
    nibabel.save(nibabel.Nifti1Image(IDS.T.astype(np.float32), np.eye(4)), tmp_path / "mask.nii.gz")
    assert torch.equal(read(tmp_path / "mask.nii.gz", MaskReader()).as_tensor(), torch.tensor(IDS.T)[None])


@pytest.mark.parametrize("mode", ["RGB", "CMYK"])
def test_coloured_masks_are_refused(tmp_path, mode):
    Image.new("RGB", (6, 4), (200, 30, 10)).convert(mode).save(tmp_path / "mask.tif")
    with pytest.raises(ValueError, match=r"Expected class ids in mask mask\.tif, found colours; save it as"):
        read(tmp_path / "mask.tif", MaskReader())


@pytest.mark.parametrize("value", [0.5, 300.0, -1.0])
def test_masks_of_other_than_whole_small_ids_are_refused(tmp_path, value):
    Image.new("F", (6, 4), value).save(tmp_path / "mask.tif")
    with pytest.raises(ValueError, match=r"Expected whole class ids from 0 to 255 in mask mask\.tif"):
        read(tmp_path / "mask.tif", MaskReader())


def test_unknown_ids_of_a_mask_are_named(tmp_path):
    Image.new("L", (6, 4), 255).save(tmp_path / "mask.png")
    with pytest.raises(ValueError, match=r"Expected the class ids 0, 1, 2 in the mask of mask.png, found 255; save"):
        read(tmp_path / "mask.png", MaskReader([0, 1, 2]))


def test_a_nifti_mask_keeps_the_size_of_its_pixels(tmp_path):
    nibabel.save(nibabel.Nifti1Image(np.ones((6, 4), np.uint8), np.diag([0.5, 0.7, 1, 1])), tmp_path / "a.nii")
    label = LoadImage(reader=MaskReader())(tmp_path / "a.nii")
    assert label.shape == (6, 4)
    assert label.pixdim.tolist()[:2] == pytest.approx([0.5, 0.7])


def test_its_size_is_that_of_the_affine(tmp_path):
    path = tmp_path / "a.nii"
    nibabel.save(nibabel.Nifti1Image(np.ones((6, 4), np.uint8), np.diag([0.5, 0.7, 1, 1])), path)
    content = bytearray(path.read_bytes())
    content[80:92] = np.array([1, 1, 1], "<f4").tobytes()  # pixdim
    path.write_bytes(content)
    assert LoadImage(reader=MaskReader())(path).pixdim.tolist()[:2] == pytest.approx([0.5, 0.7])


def test_ids_of_deep_colours_are_not_rounded_away(tmp_path):
    tifffile.imwrite(tmp_path / "mask.tif", IDS[..., None].repeat(3, -1).astype(np.uint16), photometric="rgb")
    assert torch.equal(read(tmp_path / "mask.tif", MaskReader([0, 1, 2])).as_tensor(), torch.tensor(IDS.T)[None])


@pytest.mark.parametrize(
    ("name", "options"), [("a.jpg", {}), ("a.png", {"format": "JPEG"}), ("a.tif", {"compression": "jpeg"})]
)
def test_lossy_masks_are_refused_whatever_they_are_called(tmp_path, name, options):
    Image.fromarray(IDS).save(tmp_path / name, **options)
    with pytest.raises(ValueError, match=rf"Expected a losslessly compressed mask in {name}, found lossy compression"):
        read(tmp_path / name, MaskReader())


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_labels_in_the_alpha_channel_are_refused(tmp_path, mode):
    black = [IDS * 0] * (len(mode) - 1)
    Image.fromarray(np.dstack([*black, IDS * 100])).save(tmp_path / "a.png")
    with pytest.raises(ValueError, match=r"Expected class ids in the levels of mask a\.png, found them in its alpha"):
        read(tmp_path / "a.png", MaskReader())


def test_an_alpha_channel_that_repeats_the_levels_says_nothing(tmp_path):
    Image.fromarray(np.dstack([IDS, IDS * 100])).save(tmp_path / "a.png")
    assert torch.equal(read(tmp_path / "a.png", MaskReader()).as_tensor(), torch.tensor(IDS.T)[None])


def test_a_mask_in_which_0_is_white_does_not_hold_these_ids(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", IDS, photometric="miniswhite")
    with pytest.raises(ValueError, match=r"Expected the class ids 0, 1, 2 .* found 253, 254, 255"):
        read(tmp_path / "a.tif", MaskReader([0, 1, 2]))


@pytest.mark.parametrize("bits", [4, 12])
def test_ids_in_few_bits_of_which_0_is_white_are_the_ids(tmp_path, bits):
    """By hand, because no library here packs them."""
    size = (3 * bits + 7) // 8  # bytes of a row
    rows = ["".join(f"{2**bits - 1 - level:0{bits}b}" for level in row).ljust(8 * size, "0") for row in IDS.tolist()]
    content = int("".join(rows), 2).to_bytes(2 * size, "big")
    tags = {256: 3, 257: 2, 258: bits, 259: 1, 262: 0, 273: 8 + 2 + 12 * 9 + 4, 277: 1, 278: 2, 279: len(content)}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    (tmp_path / "a.tif").write_bytes(b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4) + content)
    assert read(tmp_path / "a.tif", MaskReader()).numpy()[0].T.tolist() == IDS.tolist()


def test_ids_that_nifti_stores_with_a_rounded_factor_are_the_ids(tmp_path):
    image = nibabel.Nifti1Image(IDS.T.astype(np.int16) * 255, np.eye(4))
    nibabel.save(image, tmp_path / "a.nii")
    content = bytearray((tmp_path / "a.nii").read_bytes())
    struct.pack_into("<2f", content, 112, 1 / 255, 0)  # scl_slope, scl_inter
    (tmp_path / "a.nii").write_bytes(content)
    assert read(tmp_path / "a.nii", MaskReader()).numpy()[0].T.tolist() == IDS.tolist()


def test_a_mask_of_black_and_white_is_one_of_0_and_1_where_no_other_ids_may_occur(tmp_path):
    array = np.array([[0, 255], [255, 0]], np.uint8)
    Image.fromarray(array).save(tmp_path / "mask.png")
    assert (array // 255 == read(tmp_path / "mask.png", MaskReader(ids=[0, 1]))[0].T).all()
    assert (array == read(tmp_path / "mask.png", MaskReader())[0].T).all()
    array[0, 0] = 1
    Image.fromarray(array).save(tmp_path / "mask.png")
    for ids in ([0, 1], [0, 1, 2]):
        with pytest.raises(ValueError, match="found 0, 1, 255"):
            read(tmp_path / "mask.png", MaskReader(ids=ids))


def with_greys(path, ids, greys):
    mask = Image.fromarray(ids, "P")
    mask.putpalette([grey for grey in greys for _ in range(3)])
    mask.save(path)
    return path


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif"])
@pytest.mark.parametrize("greys", [(255, 0), (0, 2, 1), (0, 128, 255)], ids=["white first", "swapped", "REFUGE"])
def test_a_palette_of_greys_that_contradicts_its_indices_is_refused(tmp_path, suffix, greys):
    path = with_greys(tmp_path / f"a.{suffix}", np.minimum(IDS, len(greys) - 1), greys)
    with pytest.raises(ValueError, match=rf"mask a\.{suffix}, found a palette of greys in another order or range"):
        read(path, MaskReader([0, 1, 2]))


def test_an_empty_mask_whose_background_is_white_in_a_table_of_greys_is_refused(tmp_path):
    with pytest.raises(ValueError, match="found a palette of greys in another order"):
        read(with_greys(tmp_path / "a.png", IDS * 0, (255, 0)), MaskReader([0, 1]))


@pytest.mark.parametrize("greys", [(0, 255), (0, 1, 2)])
def test_a_palette_of_greys_that_are_the_ids_or_black_and_white_is_read(tmp_path, greys):
    ids = np.minimum(IDS, len(greys) - 1)
    mask = read(with_greys(tmp_path / "a.png", ids, greys), MaskReader([0, 1, 2]))
    assert torch.equal(mask.as_tensor(), torch.tensor(ids.T)[None])


def test_a_palette_with_colours_is_one_of_classes_whatever_is_in_the_picture(tmp_path):
    mask = Image.fromarray(IDS % 2 * 2, "P")
    mask.putpalette([255, 255, 255, 200, 0, 0, 0, 0, 0])  # of which white and black are used
    mask.save(tmp_path / "a.png")
    assert torch.equal(read(tmp_path / "a.png", MaskReader()).as_tensor(), torch.tensor(IDS.T % 2 * 2)[None])


@pytest.mark.parametrize("compression", [None, "tiff_lzw"])
def test_a_mask_of_imagej_with_its_inverted_table_is_refused(tmp_path, compression):
    mask = Image.fromarray((IDS > 0).astype(np.uint8) * 255)
    mask.save(tmp_path / "a.tif", compression=compression, tiffinfo={262: 0, 270: "ImageJ=1.54f\n"})
    with pytest.raises(ValueError, match=r"mask a\.tif, found 0 and 255 of which 0 is white .*; save it as 8-bit grey"):
        read(tmp_path / "a.tif", MaskReader([0, 1]))


def test_one_bit_of_which_0_is_white_is_the_id(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", IDS == 0, photometric="miniswhite")
    assert torch.equal(read(tmp_path / "a.tif", MaskReader([0, 1])).as_tensor(), torch.tensor(IDS.T > 0).byte()[None])


def test_a_mask_whose_affine_counts_in_voxels_has_the_sizes_of_the_header(tmp_path):
    path = tmp_path / "a.nii"
    nibabel.save(nibabel.Nifti1Image(np.ones((6, 4), np.uint8), np.eye(4)), path)
    content = bytearray(path.read_bytes())
    content[80:92] = np.array([0.5, 0.7, 1], "<f4").tobytes()  # pixdim
    path.write_bytes(content)
    assert LoadImage(reader=MaskReader())(path).pixdim.tolist()[:2] == pytest.approx([0.5, 0.7])


STRETCHED = np.pad(IDS, 3)
"""Ids in front of a background of 0."""


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif"])
@pytest.mark.parametrize(
    "greys",
    [(0, 127, 255), (0, 128, 255), (0, 85, 170, 255), [round(255 * n / 63) for n in range(64)]],
    ids=["3", "3 rounded up", "4", "64"],
)
def test_a_palette_of_greys_at_equal_distances_from_black_to_white_has_the_ids_as_indices(tmp_path, suffix, greys):
    mask = read(with_greys(tmp_path / f"a.{suffix}", STRETCHED, greys), MaskReader([0, 1, 2]))
    assert torch.equal(mask.as_tensor(), torch.tensor(STRETCHED.T)[None])


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_a_palette_of_greys_whose_background_is_white_is_refused(tmp_path, suffix):
    path = with_greys(tmp_path / f"a.{suffix}", 2 - STRETCHED, (0, 127, 255))
    with pytest.raises(ValueError, match="found a palette of greys in another order or range"):
        read(path, MaskReader([0, 1, 2]))


@pytest.mark.parametrize("greys", [(0, 200, 255), (0, 64, 128), [0, 2, 1, *range(3, 256)]])
def test_a_palette_of_greys_in_uneven_or_another_order_is_refused(tmp_path, greys):
    with pytest.raises(ValueError, match="found a palette of greys in another order or range"):
        read(with_greys(tmp_path / "a.png", STRETCHED, greys), MaskReader([0, 1, 2]))
