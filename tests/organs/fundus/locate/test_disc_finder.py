import json

import numpy as np
import pytest
import torch
from drawn_photograph import bright, photograph
from PIL import Image

from monai_sfda.imageio import ReadPhotod
from monai_sfda.organs.fundus import DiscFinder
from monai_sfda.transforms import LabelMapd


def test_the_square_has_the_disc_in_its_middle_at_the_scale_asked_for():
    image = photograph()
    located = DiscFinder(bright, side=2.5)(image)
    left, top, right, bottom = located["box"]
    assert right - left == bottom - top == round(2.5 * located["diameter"])
    y, x = np.argwhere(image[0, top:bottom, left:right].numpy() > 200).mean(0) + 0.5
    assert (x, y) == pytest.approx(((right - left) / 2, (bottom - top) / 2), abs=1.5)  # a pixel of the working picture
    assert located["found"]
    assert located["cropped"]


def test_the_square_stays_in_the_frame_where_the_disc_is_at_its_edge():
    located = DiscFinder(bright, side=3.5)(photograph(x=75, y=100)[..., 50:])  # the field begins at the left border
    left, top, right, bottom = located["box"]
    assert left >= 0
    assert right - left == bottom - top == round(3.5 * located["diameter"])


def test_what_is_located_are_plain_numbers():
    located = DiscFinder(bright)(photograph())
    assert json.loads(json.dumps(located)) == located
    assert {name: type(value) for name, value in located.items()} == {
        "found": bool,
        "photograph": bool,
        "agreed": bool,
        "cropped": bool,
        "box": list,
        "centre": list,
        "diameter": float,
        "confidence": float,
    }


def test_a_crop_passes_whole():
    located = DiscFinder(bright)(photograph(radius=36))  # 72 of 200 pixels is above 0.35
    assert located["box"] == [0, 0, 300, 200]
    assert (located["found"], located["cropped"], located["agreed"]) == (True, False, None)


def test_a_crop_of_three_and_a_half_diameters_is_cut_to_the_scale_of_training():
    located = DiscFinder(bright)(photograph(radius=28.5, lit=True))
    left, top, right, bottom = located["box"]
    assert right - left == bottom - top == pytest.approx(2.1 * 57, rel=0.1)
    assert (located["cropped"], located["agreed"], located["photograph"]) == (True, True, False)


def in_one_look(number, shift):
    """A network that sees the disc elsewhere in one of its looks: 0 the picture, 1 upside down, 2 the square alone."""
    looks = iter(range(3))

    def network(picture):
        seen = bright(picture)
        return seen.roll(shift, 3) if next(looks) == number else seen

    return network


@pytest.mark.parametrize("number", [1, 2])
def test_a_crop_whose_disc_is_not_seen_twice_in_one_place_stays_whole_and_says_so(number):
    located = DiscFinder(in_one_look(number, 40))(photograph(radius=28.5, lit=True))
    assert located["box"] == [0, 0, 300, 200]
    assert (located["found"], located["agreed"], located["cropped"]) == (True, False, False)


@pytest.mark.parametrize("number", [1, 2])
def test_a_whole_photograph_whose_disc_is_not_seen_twice_in_one_place_is_cut_and_says_so(number):
    located = DiscFinder(in_one_look(number, 40))(photograph())
    assert (located["photograph"], located["agreed"], located["cropped"]) == (True, False, True)
    assert located["box"] == DiscFinder(bright)(photograph())["box"]


def test_a_bright_spot_within_the_disc_does_not_cut_the_rest_of_it_away():
    image = photograph(x=150, y=100, radius=75, lit=True)
    image[:, 85:115, 95:125] = 255  # seen as the disc in the whole picture

    def brightest(picture):
        return 20 * (picture - 0.98 * picture.amax())[:, :1]

    located = DiscFinder(brightest, required=False)(image)
    assert located["box"] == [0, 0, 300, 200]


@pytest.mark.parametrize(("lit", "refused"), [(True, False), (False, True)], ids=["a crop", "a photograph"])
def test_without_a_disc_crops_may_be_spared_and_photographs_are_refused(lit, refused):
    finder, image = DiscFinder(bright, spare_crops=True), photograph(radius=0, lit=lit)
    if refused:
        with pytest.raises(ValueError, match="found none"):
            finder(image)
    else:
        assert finder(image) | {"centre": None, "diameter": None, "confidence": None} == {
            "found": False,
            "photograph": False,
            "agreed": None,
            "cropped": False,
            "box": [0, 0, 300, 200],
            "centre": None,
            "diameter": None,
            "confidence": None,
        }


def test_a_black_picture_is_refused_also_where_crops_are_spared():
    with pytest.raises(ValueError, match="found none"):
        DiscFinder(bright, spare_crops=True)(torch.zeros(3, 40, 50))


def test_a_small_picture_is_taken_for_a_crop_without_a_look():
    located = DiscFinder(bright, smallest=201)(photograph())
    assert located == {
        "found": None,
        "photograph": None,
        "agreed": None,
        "cropped": None,
        "box": [0, 0, 300, 200],
        "centre": None,
        "diameter": None,
        "confidence": None,
    }


@pytest.mark.parametrize("image", [photograph(radius=0), torch.zeros(3, 40, 50)])
def test_a_picture_without_a_disc_is_refused_or_passes_whole_and_is_marked(image):
    with pytest.raises(ValueError, match=r"Expected an optic disc .*found none \(confidence 0"):
        DiscFinder(bright)(image)
    located = DiscFinder(bright, required=False)(image)
    assert located["box"] == [0, 0, image.shape[2], image.shape[1]]
    assert (located["found"], located["cropped"]) == (False, False)
    assert located["confidence"] < 0.5


@pytest.mark.parametrize("radius", [14, 36], ids=["full photograph", "crop"])
def test_a_prediction_comes_back_in_its_place_in_the_frame_with_0_around_it(radius, tmp_path):
    image = photograph(radius=radius)
    Image.fromarray(image.byte().permute(1, 2, 0).numpy()).save(tmp_path / "a.png")
    read = ReadPhotod("image", (64, 64), finder=DiscFinder(bright))
    item = read({"image": tmp_path / "a.png"})
    assert item["located"]["found"]
    item["pred"] = (item["image"].as_tensor()[:1] > 160 / 127.5 - 1).float()
    pred = LabelMapd("pred", cutoff=0.5)(item)["pred"][0].T
    assert pred.shape == (200, 300)
    found, true = (np.argwhere(mask.numpy()) for mask in (pred, image[0] > 160))
    assert found.mean(0) == pytest.approx(true.mean(0), abs=1)
    # thresholds before and after the two resizes move the edge by up to half a pixel of the smaller picture
    assert len(found) == pytest.approx(len(true), rel=0.1)


def test_a_confidence_out_of_range_is_refused():
    with pytest.raises(ValueError, match="confident in"):
        DiscFinder(bright, confident=0.2)


def test_grey_pictures_are_refused():
    with pytest.raises(ValueError, match="RGB picture"):
        DiscFinder(bright)(photograph()[:1])
