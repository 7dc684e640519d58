"""DepthwiseConv2d: torch's convolution, in another way where its gradient is slow."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

from monai_sfda.networks.fast.depthwise import DepthwiseConv2d

SHAPES = [{"stride": 1}, {"stride": 2}, {"dilation": 2}]


@pytest.mark.parametrize("shape", SHAPES)
def test_it_is_torchs_convolution_in_float32(shape):
    layer, x = DepthwiseConv2d(5, **shape), torch.rand(2, 5, 12, 12)
    assert torch.equal(layer(x), F.conv2d(x, layer.weight, groups=5, **shape))


@pytest.mark.parametrize("size", [(12, 12), (9, 14), (7, 5), (5, 8)])
@pytest.mark.parametrize("dilation", [2, 3])
def test_with_a_dilation_values_and_gradients_are_torchs(size, dilation):
    torch.manual_seed(0)
    layer, x = DepthwiseConv2d(5, kernel=2, dilation=dilation), torch.rand(2, 5, *size, requires_grad=True)
    found, expected = layer(x), F.conv2d(x, layer.weight, groups=5, dilation=dilation)
    torch.testing.assert_close(found, expected)
    assert found.is_contiguous(memory_format=torch.channels_last)
    towards = torch.rand_like(expected)
    torch.testing.assert_close(*(torch.autograd.grad(y, (x, layer.weight), towards) for y in (found, expected)))


@pytest.mark.parametrize("shape", SHAPES)
def test_batch_norm_can_be_folded_into_it_also_where_a_gradient_is_wanted(shape):
    layer, norm = DepthwiseConv2d(5, **shape).eval(), nn.BatchNorm2d(5).eval()
    nn.init.normal_(norm.bias)
    x = torch.rand(2, 5, 12, 12, requires_grad=True)
    torch.testing.assert_close(fuse_conv_bn_eval(layer, norm)(x), norm(layer(x)))


def test_a_stride_together_with_a_dilation_is_refused():
    with pytest.raises(ValueError, match="stride 2 and dilation 2"):
        DepthwiseConv2d(4, stride=2, dilation=2)


@pytest.mark.parametrize("shape", SHAPES)
def test_under_autocast_values_and_gradients_are_those_of_float32_but_for_rounding(shape):
    torch.manual_seed(0)
    layer = DepthwiseConv2d(5, **shape)
    x = torch.rand(2, 5, 12, 12).bfloat16().requires_grad_()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = layer(x)
    assert out.dtype == torch.bfloat16
    exact = F.conv2d(x.float(), layer.weight, groups=5, **shape)
    # Nine products of weights rounded to 8 bits: relative to the largest output, about 2^-8.
    assert torch.allclose(out.float(), exact, atol=2**-7 * exact.abs().max().item())
    got = torch.autograd.grad(out.float().sum(), (layer.weight, x))
    want = torch.autograd.grad(exact.sum(), (layer.weight, x))
    for one, other in zip(got, want, strict=True):
        assert one.dtype == other.dtype
        assert torch.allclose(one.float(), other.float(), atol=2**-7 * other.abs().max().item())


def test_without_a_gradient_it_stays_in_bfloat16():
    layer = DepthwiseConv2d(4, stride=2)
    x = torch.rand(1, 4, 8, 8).bfloat16()
    with torch.autocast("cpu", dtype=torch.bfloat16), torch.no_grad():
        assert torch.equal(layer(x), F.conv2d(x, layer.weight.bfloat16(), stride=2, groups=4))
