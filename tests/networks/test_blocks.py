"""Building blocks: He-normal weights, no bias before a norm."""

import pytest
from torch import nn

from monai_sfda.networks.blocks import conv, conv_norm


def test_weights_are_he_normal():
    layer = conv(64, 256, 3)
    # Variance 2 / fan-in; 147,456 draws put the sample deviation within 1 % of it.
    assert layer.weight.std().item() == pytest.approx((2 / (64 * 9)) ** 0.5, rel=0.01)


def test_a_convolution_before_a_norm_has_no_bias():
    layer, norm, _ = conv_norm(4, 8, 3, padding=1)
    assert layer.bias is None
    assert isinstance(norm, nn.BatchNorm2d)
