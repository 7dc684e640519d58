import pytest
import torch
from torch import nn

from monai_sfda.pseudo import GradientGuided, MonteCarlo, cam_spread


class Script(nn.Module):
    """Its layer gives one pair of positions after another."""

    def __init__(self, *values):
        super().__init__()
        self.values, self.calls, self.layer = values, 0, nn.Identity()

    def forward(self, image):
        value = torch.tensor(self.values[self.calls % len(self.values)])
        self.calls += 1
        return self.layer(value.view(1, 1, 2).expand(len(image), 1, 2))


def test_spread_of_maps_worked_by_hand():
    # Maps (1, .5), (1, 1), (.5, 1) after division by the maximum: unbiased deviation of 1, 1, .5 is sqrt(1 / 12).
    network = Script([2.0, 1.0], [3.0, 3.0], [1.0, 2.0])
    found = cam_spread(network, "layer", torch.tensor([[[0.7], [-1.0]]]), torch.zeros(1, 3, 2), passes=3)
    assert found[0, 0].tolist() == pytest.approx([0.288675] * 2, abs=1e-5)
    # The other class has no positive evidence anywhere.
    assert found[0, 1].tolist() == [0, 0]
    assert network.calls == 0


@pytest.mark.parametrize("weight", [0.0, -1.0])
def test_no_positive_evidence_at_all_gives_zero(weight):
    weights = torch.full((2, 3, 1), weight)
    found = cam_spread(Script([1.0, 2.0], [2.0, 5.0]), "layer", weights, torch.zeros(2, 3, 2), passes=2)
    assert found.tolist() == [[[0, 0]] * 3] * 2


def test_a_network_in_which_nothing_is_random_is_refused():
    with pytest.raises(ValueError, match="give it dropout"):
        cam_spread(Script([1.0, 2.0]), "layer", torch.ones(1, 1, 1), torch.zeros(1, 3, 2), passes=2)


def test_the_larger_spread_counts(network):
    image, case = torch.rand(2, 3, 8, 8), "ab"
    found = []
    for passes in (None, 5):
        torch.manual_seed(0)
        observe = MonteCarlo(network, layer="3")
        guided = GradientGuided(network, "3", observe=observe, cam_passes=passes, cutoff=0.5)
        found.append(guided(image, case).spread)
    assert (found[1] >= found[0]).all()
    assert (found[1] > found[0]).any()


def test_without_an_observer_it_is_the_only_spread(network):
    guided = GradientGuided(network, "3", cam_passes=2, cutoff=0.5)
    assert guided(torch.rand(2, 3, 8, 8), "ab").spread.shape == (2, 2, 8, 8)
