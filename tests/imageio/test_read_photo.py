import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import (
    Compose,
    EnsureChannelFirstd,
    Invertd,
    LoadImaged,
    Resized,
    ScaleIntensityRanged,
    Transposed,
)
from PIL import Image

from monai_sfda.imageio import PhotoReader, ReadPhotod
from monai_sfda.imageio.resample import resample_matrix
from monai_sfda.transforms import LabelMapd, NativeSized

SIZES = [
    ((70, 90), (64, 64)),
    ((300, 257), (64, 96)),
    ((500, 30), (64, 64)),
    ((10, 20), (64, 64)),
    ((64, 64), (64, 64)),
]


def monai_chain(size):
    return Compose(
        [
            LoadImaged("image", reader=PhotoReader()),
            EnsureChannelFirstd("image"),
            Transposed("image", indices=[0, 2, 1]),
            Resized("image", spatial_size=size, mode="bilinear", anti_aliasing=True),
            ScaleIntensityRanged("image", a_min=0, a_max=255, b_min=-1, b_max=1),
        ]
    )


@pytest.fixture(params=SIZES, ids=str)
def case(request, tmp_path):
    """Path of a noisy photograph, and the size to bring it to."""
    shape, size = request.param
    pixels = np.random.default_rng(0).integers(256, size=(*shape, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    return str(tmp_path / "photo.png"), size


def test_values_are_those_of_monai_s_transforms(case):
    path, size = case
    # Sums of up to a thousand float32 in another order.
    expected = monai_chain(size)({"image": path})["image"]
    torch.testing.assert_close(ReadPhotod("image", size)({"image": path})["image"], expected, atol=2e-5, rtol=0)


def test_a_prediction_gets_the_size_and_values_that_invertd_gives(case):
    path, size = case
    probs = torch.rand(2, *size, generator=torch.Generator().manual_seed(0))
    chain = monai_chain(size)
    item = chain({"image": path})
    item["pred"] = MetaTensor(probs, meta=item["image"].meta, applied_operations=item["image"].applied_operations)
    expected = Invertd("pred", chain, "image", nearest_interp=False)(item)["pred"]
    found = NativeSized("pred")({**ReadPhotod("image", size)({"image": path}), "pred": probs})["pred"]
    torch.testing.assert_close(found.as_tensor(), expected.as_tensor(), atol=1e-6, rtol=0)


def test_halving_a_line_works_out_by_hand():
    # Factor 2: Gaussian of sigma 0.5, then the mean of two neighbours. Far from the border a line of ones stays ones.
    matrix = resample_matrix(16, 8).toarray()
    np.testing.assert_allclose(matrix.sum(1)[2:-2], 1, atol=1e-4)  # the filter is cut off at 4 sigma
    np.testing.assert_allclose(matrix[4], np.roll(matrix[3], 2), atol=1e-7)


def photograph(width=6, height=4):
    meta = {"spatial_shape": torch.tensor([width, height]), "original_affine": torch.eye(4)}
    return MetaTensor(torch.zeros(3, height, width), meta=meta)


def test_nested_channels_count_only_inside_the_outer_ones():
    probs = torch.zeros(2, 4, 6)
    probs[0, :, :4] = 0.9
    probs[1, :, 2:] = 0.8  # columns 4 and 5 are cup outside of the disc
    item = LabelMapd("pred", cutoff=0.75)({"pred": probs, "image": photograph()})
    assert item["prob"] is probs
    label = item["pred"]
    assert label.shape == (1, 6, 4)
    assert label.dtype == torch.uint8
    assert label[0, :, 0].tolist() == [1, 1, 2, 2, 0, 0]


@pytest.mark.parametrize("channels", [2, 3])
def test_without_a_cutoff_the_largest_probability_wins_and_the_first_among_equals(channels):
    probs = torch.full((channels, 4, 6), 1 / channels)
    probs[channels - 1, :, 3:] = 0.9
    label = LabelMapd("pred")({"pred": probs, "image": photograph()})["pred"]
    assert label[0, :, 0].tolist() == [0, 0, 0] + [channels - 1] * 3


def test_channels_that_are_not_nested_exclude_each_other():
    probs = torch.zeros(2, 4, 6)
    probs[0, :, :3], probs[1, :, 2:5] = 0.8, 0.9
    label = LabelMapd("pred", cutoff=0.5, nested=False)({"pred": probs, "image": photograph()})["pred"]
    assert label[0, :, 0].tolist() == [1, 1, 2, 2, 2, 0]


def test_its_reader_says_what_is_black_and_white(tmp_path):
    Image.fromarray(np.full((4, 4), 255, np.uint16)).save(tmp_path / "a.png")
    read = ReadPhotod("image", (4, 4), reader=PhotoReader(levels=[0, 510]))
    image = read({"image": tmp_path / "a.png"})["image"]
    torch.testing.assert_close(image.as_tensor(), torch.full((3, 4, 4), 128 / 127.5 - 1), atol=1e-6, rtol=0)


def test_eight_bits_are_the_stored_values(case):
    """What a data set keeps for views, as the chain of the bundles' adapt.json makes it."""
    path, size = case
    stored = ReadPhotod("image", size, dtype=torch.uint8)({"image": path})["image"]
    scaled = (monai_chain(size)({"image": path})["image"] + 1) * 127.5
    assert stored.dtype == torch.uint8
    assert (stored.as_tensor() - scaled.as_tensor()).abs().max() < 0.51
    assert stored.meta["filename_or_obj"] == path


def test_another_type_is_refused():
    with pytest.raises(ValueError, match=r"Expected dtype torch\.float32 .* found torch\.float16; give one of the two"):
        ReadPhotod("image", (4, 4), dtype=torch.float16)


@pytest.mark.parametrize("size", [256, (256,), (3, 256, 256)])
def test_a_size_that_is_not_two_numbers_is_refused(size):
    with pytest.raises(ValueError, match=r"Expected spatial_size \(h, w\), found .*; give both, such as \(256, 256\)"):
        ReadPhotod("image", size)


def test_an_image_that_does_not_know_its_file_is_named():
    with pytest.raises(ValueError, match="Expected 'image' to hold the size of its file, found a Tensor without it"):
        LabelMapd("pred")({"pred": torch.zeros(2, 4, 4), "image": torch.zeros(3, 4, 4)})
