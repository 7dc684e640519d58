import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

from monai_sfda.networks.fast.atrous import AtrousConv2d


@pytest.mark.parametrize("size", [(3, 2), (2, 3), (3, 4), (5, 7)])
def test_weights_that_meet_no_pixel_change_neither_values_nor_gradients(size):
    torch.manual_seed(0)
    layer, x = AtrousConv2d(4, 6, rate=3), torch.randn(2, 4, *size, requires_grad=True)
    found, expected = layer(x), F.conv2d(x, layer.weight, padding=3, dilation=3)
    torch.testing.assert_close(found, expected)
    towards = torch.randn_like(expected)
    torch.testing.assert_close(*(torch.autograd.grad(y, (x, layer.weight), towards) for y in (found, expected)))


def test_batch_norm_can_be_folded_into_it():
    layer, norm = AtrousConv2d(4, 6, rate=3).eval(), nn.BatchNorm2d(6).eval()
    nn.init.normal_(norm.bias)
    for x in (torch.randn(2, 4, 3, 3), torch.randn(2, 4, 7, 7)):
        torch.testing.assert_close(fuse_conv_bn_eval(layer, norm)(x), norm(layer(x)))
