"""conv_joined: the convolution of the joined map, and its gradients, in another order."""

import pytest
import torch
from torch.nn import functional as F

from monai_sfda.networks.fast.upsampled import conv_joined, join

SIZES = [((16, 16), (64, 64)), ((3, 5), (9, 17)), ((1, 2), (4, 7)), ((4, 4), (4, 4))]


def arguments(small, large, dtype=torch.float32):
    torch.manual_seed(0)
    shapes = ((2, 8, *small), (2, 3, *large), (5, 11, 3, 3))
    return [torch.randn(shape).to(dtype).requires_grad_() for shape in shapes]


def of_the_joined_map(context, detail, weight):
    return F.conv2d(join(context, detail), weight, padding=1)


@pytest.mark.parametrize(("small", "large"), SIZES)
def test_values_and_gradients_are_those_of_the_joined_map(small, large):
    given = arguments(small, large)
    values = [function(*given) for function in (conv_joined, of_the_joined_map)]
    # 99 products of numbers near 1 added in another order, in float32.
    torch.testing.assert_close(*values, rtol=1e-5, atol=2e-5)
    towards = torch.randn_like(values[0])
    gradients = [torch.autograd.grad(value, given, towards) for value in values]
    torch.testing.assert_close(*gradients, rtol=1e-4, atol=1e-3)  # of a weight: sums over up to 8192 pixels


def test_in_bfloat16_it_is_as_near_to_float32_as_the_joined_map_is():
    exact = of_the_joined_map(*arguments(*SIZES[0]))
    rounded = arguments(*SIZES[0], dtype=torch.bfloat16)
    errors = [(function(*rounded).float() - exact).square().mean() for function in (conv_joined, of_the_joined_map)]
    # Two more roundings of intermediate values, and of the matrices, each as large as that of the result.
    assert errors[0] < 3 * errors[1]


def test_the_result_lies_in_memory_as_channels_last():
    context, detail, weight = arguments(*SIZES[0])
    result = conv_joined(context, detail.contiguous(memory_format=torch.channels_last), weight)
    assert result.is_contiguous(memory_format=torch.channels_last)
