"""A prompt in front of a network."""

import pytest
import torch
from torch import nn

from monai_sfda.networks import AmplitudePrompt, WithPrompt, learn_prompt

IMAGE = torch.rand(2, 3, 20, 17, generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (5, 3)])
def test_factors_of_one_give_the_image_back(size):
    assert torch.allclose(AmplitudePrompt(3, size)(IMAGE), IMAGE, atol=1e-5)


def test_a_volume_is_given_back_too():
    volume = torch.rand(1, 1, 6, 7, 8)
    assert torch.allclose(AmplitudePrompt(1, (2, 2, 2))(volume), volume, atol=1e-5)


def test_the_middle_factor_scales_the_mean_brightness_and_nothing_else():
    prompt = AmplitudePrompt(3, (3, 3))
    prompt.factor.data[:, 1, 1] = 2
    found = prompt(IMAGE)
    mean = IMAGE.mean((2, 3), keepdim=True)
    assert torch.allclose(found, IMAGE + mean, atol=1e-5)


def test_phases_stay():
    prompt = AmplitudePrompt(3, (3, 3))
    prompt.factor.data = torch.tensor([[1.0, 2, 3], [0.5, 1, 0.5], [3, 2, 1]]).expand(3, 3, 3)  # as a real image has it
    before, after = torch.fft.fft2(IMAGE), torch.fft.fft2(prompt(IMAGE))
    turned = (after * before.conj()).angle()
    assert turned.abs().max() < 1e-3
    assert not torch.allclose(before.abs(), after.abs())


def test_only_the_prompt_learns_and_the_definition_builds_it_again():
    network = learn_prompt(WithPrompt(nn.Conv2d(3, 2, 1), in_channels=3, size=[2, 5]))
    assert [name for name, p in network.named_parameters() if p.requires_grad] == ["prompt.factor"]
    definition = network.wrap_definition({"_target_": "torch.nn.Conv2d"})
    assert (definition["in_channels"], definition["size"]) == (3, [2, 5])
    network(IMAGE).sum().backward()
    assert network.prompt.factor.grad.isfinite().all()
