"""LaneDropout: the law of dropout, whatever the layout and type."""

import pytest
import torch
from monai.networks.nets import BasicUNet
from torch import nn

from monai_sfda.networks import stochastic_layers
from monai_sfda.networks.fast import LaneDropout, lane_dropout


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_it_drops_the_share_p_and_scales_the_rest(p):
    torch.manual_seed(0)
    y = LaneDropout(p).train()(torch.ones(1000, 1000))
    assert (y == 0).float().mean().item() == pytest.approx(p, abs=0.0025)  # 5 deviations of 10^6 draws at p = 0.5
    assert y[y > 0].unique().item() == pytest.approx(1 / (1 - p), rel=1e-6)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
@pytest.mark.parametrize("p", [0.1, 0.5])
def test_other_types_drop_the_same_and_scale_as_they_round(dtype, p):
    layer, x = LaneDropout(p).train(), torch.ones(400)
    torch.manual_seed(0)
    expected = layer(x) > 0
    torch.manual_seed(0)
    y = layer(x.to(dtype))
    assert torch.equal(y > 0, expected)
    assert y[expected].unique().item() == torch.tensor(1 / (1 - p), dtype=dtype).item()


def test_the_four_lanes_of_a_number_are_independent():
    torch.manual_seed(0)
    dropped = (LaneDropout(0.5).train()(torch.ones(250_000, 4)) == 0).float()
    # Correlation of 250,000 independent pairs has deviation 0.002.
    assert (torch.corrcoef(dropped.T) - torch.eye(4)).abs().max() < 0.01


def test_evaluation_and_p_0_change_nothing_and_p_1_drops_all():
    x = torch.rand(3, 5)
    assert torch.equal(LaneDropout(0.5).eval()(x), x)
    assert torch.equal(LaneDropout(0.0).train()(x), x)
    assert LaneDropout(1.0).train()(x).count_nonzero() == 0


def test_the_gradient_is_the_mask():
    x = torch.rand(7, 11, requires_grad=True)
    y = LaneDropout(0.5).train()(x)
    y.sum().backward()
    torch.testing.assert_close(x.grad, torch.where(y == 0, 0.0, 2.0))


@pytest.mark.parametrize("shape", [(1,), (3,), (2, 5, 3, 3)])
def test_sizes_that_no_four_lanes_fill_are_fine(shape):
    assert LaneDropout(0.5).train()(torch.ones(shape)).shape == shape


def test_layout_and_type_are_kept():
    x = torch.rand(2, 8, 4, 4, dtype=torch.bfloat16).contiguous(memory_format=torch.channels_last)
    y = LaneDropout(0.5).train()(x)
    assert y.dtype == torch.bfloat16
    assert y.is_contiguous(memory_format=torch.channels_last)


def test_the_seed_decides():
    layer, x = LaneDropout(0.5).train(), torch.ones(64)
    draws = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        draws.append(layer(x))
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


def test_it_counts_as_dropout():
    network = nn.Sequential(LaneDropout(0.5))
    assert stochastic_layers(network) == [network[0]]


def test_plain_dropout_is_exchanged_wherever_it_is_and_nothing_else():
    network = nn.Sequential(nn.Conv2d(1, 2, 1), nn.Dropout2d(0.2), nn.Sequential(nn.Dropout(0.3), nn.AlphaDropout(0.4)))
    network[2][0].eval()
    kept = [network[0], network[1], network[2][1]]
    assert lane_dropout(network) is network
    assert type(network[2][0]) is LaneDropout
    assert (network[2][0].p, network[2][0].training) == (0.3, False)
    assert [network[0], network[1], network[2][1]] == kept


def test_networks_of_monai_have_none_of_torch_left():
    network = lane_dropout(BasicUNet(2, 1, 2, features=(4, 4, 4, 4, 4, 4), dropout=0.1))
    assert {type(layer) for layer in stochastic_layers(network)} == {LaneDropout}
