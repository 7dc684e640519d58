import numpy as np
import pytest
import torch
from drawn_photograph import bright, photograph

from monai_sfda.organs.fundus import CutToDiscd, DiscFinder


def labelled(**disc):
    image = photograph(**disc)
    return {"image": image, "label": (image[:1] > 200).to(torch.uint8)}


def test_training_sees_the_square_that_prediction_cuts():
    item = labelled()
    cut = CutToDiscd(["image", "label"], side=2.5)(item)
    left, _, right, _ = DiscFinder(bright, side=2.5)(item["image"])["box"]
    assert cut["image"].shape == (3, *cut["label"].shape[1:])
    # the finder takes the longest diameter for 1.05 times that of the area, and works at 128 pixels
    assert cut["label"].shape[1] == cut["label"].shape[2] == pytest.approx(right - left, rel=0.08)
    assert torch.equal(cut["label"][0] > 0, cut["image"][0] > 200)  # both were cut alike
    rows, columns = np.nonzero(cut["label"][0].numpy())
    assert (rows.mean() + 0.5, columns.mean() + 0.5) == pytest.approx([cut["label"].shape[1] / 2] * 2, abs=1)


def test_the_square_is_moved_into_the_frame():
    item = labelled(x=75, y=100)
    edge = {key: value[..., 50:] for key, value in item.items()}  # the disc touches the left border, nearly
    cut = CutToDiscd(["image", "label"], side=3.5)(edge)
    assert cut["label"].shape[1] == cut["label"].shape[2] == round(3.5 * 28)
    assert torch.equal(cut["image"], edge["image"][:, 51:149, :98])


@pytest.mark.parametrize("radius", [28.5, 36])
def test_crops_are_cut_in_training_where_prediction_cuts_them(radius):
    item = labelled(radius=radius, lit=True)
    predicted = DiscFinder(bright)(item["image"])
    cut = CutToDiscd(["image", "label"])(item)
    assert (cut["label"].shape != item["label"].shape) == predicted["cropped"] == (radius == 28.5)


@pytest.mark.parametrize("disc", [{"radius": 36}, {"radius": 0}], ids=["a crop", "no disc"])
def test_what_is_not_a_full_photograph_with_a_disc_stays_whole(disc):
    item = labelled(**disc)
    cut = CutToDiscd(["image", "label"])(item)
    assert torch.equal(cut["image"], item["image"])
    assert torch.equal(cut["label"], item["label"])


def test_a_picture_that_prediction_takes_whole_unseen_stays_whole():
    cut = CutToDiscd(["image", "label"], smallest=201)(labelled())
    assert cut["image"].shape == (3, 200, 300)
