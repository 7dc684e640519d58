import copy

import pytest
import torch
from monai.data import MetaTensor
from monai.networks.nets import UNet
from torch import nn
from torch.utils.data import DataLoader

from monai_sfda.delivery import Comparison
from monai_sfda.handlers import MeanTeacher
from monai_sfda.transforms import WeakStrongViews
from monai_sfda.volumes import VolumeParts


class Brighter(nn.Module):
    """Marks pixels brighter than a level, in both channels."""

    def __init__(self, level):
        super().__init__()
        self.level = level

    def forward(self, image):
        return (image[:, :1] - self.level).repeat(1, 2, 1, 1) * 100


def images(count=5):
    ramp = torch.arange(100, dtype=torch.uint8).view(1, 10, 10).repeat(3, 1, 1)
    return [{"image": ramp + index, "case": f"case {index}"} for index in range(count)]


def compare(before=50.0, after=75.0, **kwargs):
    comparison = Comparison(
        source=Brighter(before),
        adapted=Brighter(after),
        views=lambda image: (image.float(), image.float()),
        structures={"cup": 1},
        **kwargs,
    )
    return comparison.run(DataLoader(images(), batch_size=2), "cpu")


def test_areas_and_agreement_by_hand():
    """Of 0..99, 49 exceed 50 and 24 exceed 75: Dice 2 * 24 / (49 + 24)."""
    first = compare().rows[0]
    assert (first.case, first.structure) == ("case 0", "cup")
    assert round(first.area_before * 100) == 49
    assert round(first.area_after * 100) == 24
    assert abs(first.agreement - 48 / 73) < 1e-6
    assert first.pieces_after == 1.0


def test_pictures_start_with_the_largest_change_and_none_comes_twice():
    pictures = compare(keep=2).pictures
    names = [picture.case for picture in pictures]
    assert names[0] == "case 0"  # the fewest bright pixels remain, so it agrees least
    assert len(names) == len(set(names)) == 4
    assert pictures[0].image.shape == (10, 10, 3)
    assert pictures[0].before.shape == (1, 10, 10)


def test_equal_networks_agree_fully():
    assert all(row.agreement == 1.0 for row in compare(after=50.0).rows)


def test_a_network_that_finds_nothing_has_no_confidence():
    row = compare(before=99.01).rows[0]  # of 0..99 the last has a probability, below the cut-off
    assert row.area_before == 0
    assert row.confidence_before != row.confidence_before  # nan
    assert row.confidence_after > 0


def test_the_network_that_adapts_is_not_the_source(network):
    teacher = MeanTeacher(network)
    settings = {"views": WeakStrongViews(), "structures": {"disc": 0}}
    for adapted in (network, teacher.network):
        with pytest.raises(
            ValueError, match="Expected the network before adaptation as source, found the Sequential th"
        ):
            Comparison(source=network, adapted=adapted, **settings)
        Comparison(source=copy.deepcopy(network), adapted=adapted, **settings)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"structures": {"cup": 2}}, r"channels are below 2, found \{'cup': 2\}"),
        ({"structures": ["cup"]}, "Expected structures as name and channel"),
        ({"head": "sofmax"}, "Expected head 'sigmoid'"),
        ({"cutoff": 0}, "Expected a cutoff between 0 and 1, found 0"),
    ],
    ids=["channel", "structures", "head", "cutoff"],
)
def test_settings_that_do_not_fit_the_networks_are_refused(network, wrong, sentence):
    settings = {"views": WeakStrongViews(), "structures": {"disc": 0}} | wrong
    with pytest.raises(ValueError, match=sentence):
        Comparison(source=copy.deepcopy(network), adapted=network, **settings).run(DataLoader(images()), "cpu")


def test_images_of_a_size_that_does_not_fit_are_told_the_sizes_that_do():
    unet = UNet(2, 3, 2, channels=(4, 4, 4), strides=(2, 2))
    comparison = Comparison(source=copy.deepcopy(unet), adapted=unet, views=WeakStrongViews(), structures={"disc": 0})
    with pytest.raises(ValueError, match=r"found \(3, 10, 10\) .*; resize them to multiples of 4, such as"):
        comparison.run(DataLoader(images()), "cpu")


def test_without_cases_the_files_are_the_cases():
    image = MetaTensor(torch.stack([item["image"] for item in images(2)]), meta={"filename_or_obj": ["1.png", "2.png"]})
    comparison = Comparison(
        source=Brighter(50), adapted=Brighter(75), views=lambda x: (x.float(), x.float()), structures={"cup": 1}
    )
    assert [row.case for row in comparison.run([{"image": image}], "cpu").rows] == ["1.png", "2.png"]


class Above(nn.Module):
    """Marks what is brighter than a level."""

    def __init__(self, level):
        super().__init__()
        self.level = level

    def forward(self, image):
        return (image - self.level) * 100


def compare_parts(parts, *, batch_size=2, **how):
    comparison = Comparison(
        source=Above(50.0),
        adapted=Above(75.0),
        views=lambda image: (image.float(), image.float()),
        structures={"organ": 0},
        **how,
    )
    return comparison.run(DataLoader(parts, batch_size=batch_size), "cpu")


def slices(volume, *values):
    """Slices of ten pixels, so many of which are 60 (found before) and 80 (found before and after)."""
    parts = []
    for number, (sixty, eighty) in enumerate(values, 1):
        image = torch.zeros(1, 1, 10, dtype=torch.uint8)
        image[..., :sixty], image[..., sixty : sixty + eighty] = 60, 80
        parts.append({"image": image, "case": f"{volume} slice {number}", "volume": volume})
    return parts


@pytest.mark.parametrize("batch_size", [1, 2, 5])
def test_the_slices_of_a_volume_are_one_case(batch_size):
    parts = slices("a", (2, 2), (0, 0), (6, 0)) + slices("b", (0, 0), (0, 4))
    first, second = compare_parts(parts, batch_size=batch_size).rows
    assert (first.case, second.case) == ("a", "b")
    assert first.area_before == pytest.approx(10 / 30)
    assert first.area_after == pytest.approx(2 / 30)
    assert first.agreement == pytest.approx(2 * 2 / (10 + 2))
    assert second.agreement == 1.0
    assert second.area_after == pytest.approx(4 / 20)
    assert first.pieces_after == second.pieces_after == 1.0


def test_a_volume_is_shown_by_the_slice_that_changed_most_or_shows_most():
    parts = slices("a", (2, 2), (0, 0), (6, 0)) + slices("b", (0, 1), (0, 4))
    pictures = compare_parts(parts).pictures
    assert [picture.case for picture in pictures] == ["a slice 3", "b slice 2"]


def test_a_window_is_shown_by_one_slice_that_its_note_names():
    window = torch.zeros(1, 4, 6, 6, dtype=torch.uint8)
    window[:, 1], window[:, 2, :2] = 80, 60
    comparison = compare_parts([{"image": window, "case": "a window 1", "volume": "a"}])
    picture, row = comparison.pictures[0], comparison.rows[0]
    assert picture.note == "among the most changed, slice 3 of 4 as the network sees them"
    assert picture.image.shape == (6, 6, 3)
    assert picture.before.sum() == 12
    assert not picture.after.any()
    assert row.area_after == pytest.approx(36 / 144)


@pytest.mark.parametrize("largest_piece", [False, True])
def test_masks_are_compared_as_they_are_delivered(largest_piece):
    """Of two pieces in the slices of a volume, the smaller one is in no mask of a bundle that keeps the largest."""
    volume = torch.zeros(1, 3, 6, 6, dtype=torch.uint8)
    volume[0, :, :2, :2], volume[0, 1, 4:, 4:] = 80, 80  # 12 voxels in three slices, 4 in one
    volume[0, 2, :2, :3] = 60  # 3 + 3 - 4 more before adaptation
    parts = VolumeParts([{"image": volume, "case": "a"}], [6, 6], progress=False)
    comparison = compare_parts(parts, largest_piece=largest_piece)
    (row,) = comparison.rows
    stray = 0 if largest_piece else 4
    assert row.area_before == pytest.approx((14 + stray) / 108)
    assert row.area_after == pytest.approx((8 + stray) / 108)
    assert row.pieces_after == pytest.approx(1.0 if largest_piece else (4 + 8 / 2) / 12)
    assert [picture.case for picture in comparison.pictures] == ["a slice 3"]


def test_a_piece_goes_on_in_the_next_window():
    volume = torch.zeros(1, 4, 4, 10, dtype=torch.uint8)
    volume[0, 1, 1, :7] = 80  # 7 voxels in three windows, the last of which overlaps
    volume[0, 3, 3, 5:] = 80  # 5 voxels
    parts = VolumeParts([{"image": volume, "case": "a"}], [4, 4, 4], progress=False)
    (row,) = compare_parts(parts, largest_piece=True).rows
    assert row.area_after * len(parts) * 64 == pytest.approx(4 + 3 + 1)
