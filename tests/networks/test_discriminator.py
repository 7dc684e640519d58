import pytest
import torch

from monai_sfda.networks import Discriminator, PatchDiscriminator


def sizes(network, size):
    found, maps = [], torch.zeros(1, network.layers[0].in_channels, size, size)
    for layer in network.layers:
        maps = layer(maps)
        if isinstance(layer, torch.nn.Conv2d):
            found.append(maps.shape[-1])
    return found


def test_with_padding_1_each_convolution_halves_the_map():
    assert sizes(Discriminator(2, width=1), 512) == [256, 128, 64, 32, 16]


def test_with_padding_2_each_adds_a_pixel():
    assert sizes(Discriminator(2, width=1, padding=2, bias=False), 512) == [257, 129, 65, 33, 17]


def test_the_published_layers():
    plain = Discriminator(5)
    assert [layer.out_channels for layer in plain.layers[::2]] == [64, 128, 256, 512, 1]
    assert plain.layers[1].negative_slope == 0.2
    assert not isinstance(plain.layers[-1], torch.nn.LeakyReLU)
    beal = Discriminator(2, padding=2, bias=False, weight_std=0.02)
    assert all(layer.bias is None for layer in beal.layers[::2])
    assert beal.layers[4].weight.std().item() == pytest.approx(0.02, rel=0.02)


def test_the_patch_one_has_batch_norm_and_gives_one_map():
    patch = PatchDiscriminator(5, width=8)
    assert patch(torch.zeros(2, 5, 64, 64)).shape == (2, 1, 6, 6)
    assert sum(isinstance(module, torch.nn.BatchNorm2d) for module in patch.modules()) == 3


@pytest.mark.parametrize("network", [Discriminator(2, width=2), PatchDiscriminator(2, width=2)])
def test_maps_that_are_too_small_are_refused(network):
    with pytest.raises(ValueError, match="of at least 32 pixels a side for a discriminator, found 16 x 40; use"):
        network(torch.zeros(2, 2, 16, 40))
