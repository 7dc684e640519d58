import torch
from torch import nn
from torch.utils.data import DataLoader

from monai_sfda.delivery import Comparison


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
