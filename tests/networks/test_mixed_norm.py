"""Source at one end, torch's own batch norm at the other, and the same names in the state dict."""

from copy import deepcopy

import pytest
import torch
from torch import nn

from monai_sfda.networks import DeepLabV3Plus, MixedBatchNorm, MixedStats, learn_norm_affine, mix_stats

# Two ways to sum the same few dozen float32 values of size about 1.
CLOSE = {"atol": 2e-6, "rtol": 2e-6}


@pytest.fixture
def layer():
    torch.manual_seed(0)
    layer = nn.BatchNorm2d(3)
    for tensor, low in ((layer.running_mean, -1), (layer.running_var, 0.5), (layer.weight, 0.5), (layer.bias, -1)):
        nn.init.uniform_(tensor, low, 2)
    return layer


@pytest.fixture
def image():
    return torch.randn(4, 3, 5, 5, generator=torch.Generator().manual_seed(1)) * 2 + 1


def mixed(layer, share):
    stand_in = MixedBatchNorm(deepcopy(layer)).train()
    stand_in.source_share = share
    return stand_in


def test_share_one_is_the_source_layer_in_evaluation_mode(layer, image):
    stand_in = mixed(layer, 1.0)
    torch.testing.assert_close(stand_in(image), layer.eval()(image), **CLOSE)
    assert torch.equal(stand_in.running_mean, layer.running_mean)
    assert torch.equal(stand_in.running_var, layer.running_var)


def test_share_zero_is_torchs_own_layer_in_training_with_its_running_statistics_and_gradients(layer, image):
    stand_in, own = mixed(layer, 0.0), deepcopy(layer).train()
    inputs = [image.clone().requires_grad_() for _ in range(2)]
    outputs = [norm(x) for norm, x in zip((stand_in, own), inputs, strict=True)]
    for output in outputs:
        output.pow(3).mean().backward()
    torch.testing.assert_close(*outputs, **CLOSE)
    torch.testing.assert_close(inputs[0].grad, inputs[1].grad, **CLOSE)
    torch.testing.assert_close(stand_in.weight.grad, own.weight.grad, atol=1e-5, rtol=1e-5)  # sums of 100 cubes
    for name, tensor in own.state_dict().items():
        torch.testing.assert_close(stand_in.state_dict()[name], tensor, **CLOSE)


def test_half_between_mean_zero_and_mean_two_is_one():
    stand_in = mixed(nn.BatchNorm1d(1, affine=False, eps=0.0), 0.5)  # source mean 0, var 1
    output = stand_in(torch.tensor([[1.0], [3.0]]))  # batch mean 2, var 1
    assert output.tolist() == [[0.0], [2.0]]  # (x - 1) / 1


def test_running_statistics_mix_the_source_with_the_average_over_the_target():
    stand_in = mixed(nn.BatchNorm1d(1), 0.5)
    stand_in(torch.tensor([[1.0], [3.0]]))
    assert stand_in.target_mean.item() == pytest.approx(0.2)  # .9 * 0 + .1 * 2
    assert stand_in.running_mean.item() == pytest.approx(0.1)  # .5 * 0 + .5 * .2
    assert stand_in.running_var.item() == pytest.approx(1.05)  # .5 * 1 + .5 * (.9 * 1 + .1 * 2), var with n - 1


def test_evaluation_repeats_the_last_mixed_prediction_where_the_average_is_that_batch(layer, image):
    image = image.repeat(60, 1, 1, 1)  # n / (n - 1) - 1 = 2e-4 for the 6000 values of a channel
    stand_in = mixed(layer, 0.3)
    stand_in.momentum = 1.0
    trained = stand_in(image)
    torch.testing.assert_close(stand_in.eval()(image), trained, atol=1e-3, rtol=1e-3)


def test_a_network_keeps_its_names_parameters_and_predictions():
    torch.manual_seed(0)
    source = DeepLabV3Plus(in_channels=3, out_channels=2).eval()
    network = mix_stats(deepcopy(source))
    assert {name: t.shape for name, t in network.state_dict().items()} == {
        name: t.shape for name, t in source.state_dict().items()
    }
    assert not any(type(module) is nn.BatchNorm2d for module in network.modules())
    assert len(MixedStats(network).layers) == sum(isinstance(m, nn.BatchNorm2d) for m in source.modules())
    image = torch.randn(1, 3, 32, 32)
    with torch.no_grad():
        assert torch.equal(network(image), source(image))
    source.load_state_dict(network.state_dict())


def test_convolutions_are_bit_identical_after_steps_on_scale_and_offset(network, image):
    network = learn_norm_affine(mix_stats(network))
    MixedStats(network).set_source_share(0.4)
    before = deepcopy(network.state_dict())
    optimizer = torch.optim.Adam([p for p in network.parameters() if p.requires_grad], lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        network.train()(image).square().mean().backward()
        optimizer.step()
    changed = {name for name, tensor in network.state_dict().items() if not torch.equal(tensor, before[name])}
    assert {name.split(".")[0] for name in changed} == {"1"}
    assert {"1.weight", "1.bias", "1.running_mean", "1.running_var"} <= changed


def test_the_saved_state_continues_as_if_never_stopped(network, image):
    first = mix_stats(deepcopy(network)).train()
    second = mix_stats(deepcopy(network)).train()
    MixedStats(first).set_source_share(0.5)
    first(image)
    second.load_state_dict(first.state_dict())
    MixedStats(second).load_state_dict(MixedStats(first).state_dict())
    MixedStats(second).set_source_share(0.5)
    for each in (first, second):
        each(image + 1)
    assert torch.equal(first[1].running_mean, second[1].running_mean)
    assert torch.equal(first[1].source_mean, second[1].source_mean)


def test_half_precision_stays_half_and_statistics_full(layer, image):
    output = mixed(layer, 0.5)(image.bfloat16())
    assert output.dtype == torch.bfloat16
    # bfloat16 has 8 significant bits; normalised values are below 8.
    torch.testing.assert_close(output.float(), mixed(layer, 0.5)(image), atol=0.06, rtol=0.02)


def test_what_cannot_be_mixed_is_refused(network, layer):
    with pytest.raises(ValueError, match="found none"):
        mix_stats(nn.Sequential(nn.Conv2d(1, 2, 1)))
    with pytest.raises(ValueError, match="found a single layer"):
        mix_stats(layer)
    with pytest.raises(ValueError, match="track_running_stats=False"):
        mix_stats(nn.Sequential(nn.BatchNorm2d(2, track_running_stats=False)))
    with pytest.raises(ValueError, match="went through mix_stats"):
        MixedStats(network)
    with pytest.raises(ValueError, match=r"between 0 and 1, found 1\.5"):
        MixedStats(mix_stats(network)).set_source_share(1.5)
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        mixed(nn.BatchNorm1d(1), 0.5)(torch.ones(1, 1))
