"""WinogradConv2d: the plain convolution and its gradients, by fewer products."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from monai_sfda.networks.fast.winograd import FEWEST_CHANNELS, WinogradConv2d, _Winograd, conv3x3

LARGE = (2, FEWEST_CHANNELS, 33, 35)  # no multiple of the side of a tile


def arguments(shape, filters, dtype=torch.float32):
    torch.manual_seed(0)
    x = torch.randn(shape, dtype=dtype).contiguous(memory_format=torch.channels_last)
    return x.requires_grad_(), torch.randn(filters, shape[1], 3, 3, dtype=dtype).requires_grad_()


@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (2, 3, 4, 8), (1, 2, 5, 7)])
def test_values_and_gradients_are_those_of_the_definition(shape):
    x, weight = arguments(shape, 2, torch.float64)
    torch.testing.assert_close(_Winograd.apply(x, weight), F.conv2d(x, weight, padding=1))
    assert torch.autograd.gradcheck(_Winograd.apply, (x, weight))


def test_float32_rounds_about_twice_as_much():
    x, weight = arguments(LARGE, FEWEST_CHANNELS)
    exact = F.conv2d(x.double(), weight.double(), padding=1)
    errors = [(function(x, weight) - exact).square().mean().sqrt() for function in (conv3x3, plain)]
    assert errors[0] < 3e-6 * exact.std()
    assert errors[0] != errors[1]  # it did take the other way


def test_gradients_in_float32_are_near_the_plain_ones():
    x, weight = arguments(LARGE, FEWEST_CHANNELS)
    towards = torch.randn(2, FEWEST_CHANNELS, *LARGE[2:])
    found, expected = (torch.autograd.grad(f(x, weight), (x, weight), towards) for f in (conv3x3, plain))
    for one, other in zip(found, expected, strict=True):
        assert (one - other).abs().max() < 1e-4 * other.std()


def test_a_gradient_that_is_not_wanted_is_not_made():
    x, weight = arguments(LARGE, FEWEST_CHANNELS)
    conv3x3(x.detach(), weight).sum().backward()
    assert x.grad is None
    frozen = weight.detach()
    conv3x3(x, frozen).sum().backward()
    torch.testing.assert_close(x.grad, torch.autograd.grad(plain(x, frozen).sum(), x)[0], rtol=0, atol=1e-3)


def test_an_image_has_the_same_result_alone_and_in_a_batch():
    x, weight = arguments(LARGE, FEWEST_CHANNELS)
    torch.testing.assert_close(conv3x3(x, weight)[1:], conv3x3(x[1:], weight), rtol=0, atol=1e-4)


def test_layers_behind_it_may_work_in_place():
    x, _ = arguments(LARGE, FEWEST_CHANNELS)
    y = nn.Sequential(WinogradConv2d(FEWEST_CHANNELS, FEWEST_CHANNELS), nn.ReLU(inplace=True))(x)
    assert y.is_contiguous(memory_format=torch.channels_last)
    y.sum().backward()


def test_small_maps_other_types_and_autocast_go_the_plain_way():
    for shape, dtype in (((2, FEWEST_CHANNELS, 8, 8), torch.float32), (LARGE, torch.float64), (LARGE, torch.bfloat16)):
        x, weight = arguments(shape, FEWEST_CHANNELS, dtype)
        assert torch.equal(conv3x3(x, weight), plain(x, weight))
    with torch.autocast("cpu", torch.bfloat16):
        x, weight = arguments(LARGE, FEWEST_CHANNELS)
        assert torch.equal(conv3x3(x, weight), plain(x, weight))


def test_as_a_layer_it_has_the_weights_and_the_values_of_a_convolution():
    torch.manual_seed(0)
    layer = WinogradConv2d(FEWEST_CHANNELS, 40, bias=True)
    usual = nn.Conv2d(FEWEST_CHANNELS, 40, 3, padding=1)
    usual.load_state_dict(layer.state_dict())
    x = torch.randn(LARGE)
    for found in (layer(x), torch.jit.script(layer)(x)):
        torch.testing.assert_close(found, usual(x), rtol=0, atol=1e-4)


def plain(x, weight):
    return F.conv2d(x, weight, padding=1)
