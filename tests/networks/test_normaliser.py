import pytest
import torch
from monai.bundle import ConfigParser
from torch import nn

from monai_sfda.networks import Normaliser, WithNormaliser, learn_normaliser


def test_a_network_behind_a_new_normaliser_gives_exactly_what_it_gave(network):
    image = torch.randn(2, 3, 16, 16)
    network.eval()
    assert torch.equal(WithNormaliser(network)(image), network(image))
    assert torch.equal(Normaliser(3, kernel_size=1)(image), image)


def test_two_normalisers_start_equal_and_leave_the_global_draws_alone():
    torch.manual_seed(3)
    undisturbed = torch.rand(4)
    torch.manual_seed(3)
    first, second = Normaliser(1).state_dict(), Normaliser(1).state_dict()
    assert torch.equal(torch.rand(4), undisturbed)
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not torch.equal(first["change.0.weight"], Normaliser(1, seed=1).state_dict()["change.0.weight"])


def test_a_radial_activation_is_1_at_0_and_1_over_e_at_its_width():
    activation = Normaliser(1, hidden=1).change[1]
    nn.init.constant_(activation.width, 0.5)
    out = activation(torch.tensor([0.0, 0.5, -0.5]).view(1, 1, 1, 3))
    torch.testing.assert_close(out.flatten(), torch.tensor([1.0, 0.3678794, 0.3678794]))


def test_an_even_kernel_is_refused():
    with pytest.raises(ValueError, match="odd kernel_size, found 2"):
        Normaliser(3, kernel_size=2)


def test_only_the_normaliser_learns(network):
    wrapped = learn_normaliser(WithNormaliser(network))
    learning = {name for name, parameter in wrapped.named_parameters() if parameter.requires_grad}
    assert learning == {f"normaliser.{name}" for name, _ in wrapped.normaliser.named_parameters()}
    wrapped(torch.randn(2, 3, 16, 16)).sum().backward()
    # The first step can only move the last convolution: what comes before it is multiplied by its zeros.
    assert wrapped.normaliser.change[-1].weight.grad.abs().sum() > 0


def test_the_definition_builds_a_network_that_takes_the_weights():
    inner = {"_target_": "torch.nn.Conv2d", "in_channels": 1, "out_channels": 2, "kernel_size": 1}
    wrapped = WithNormaliser(nn.Conv2d(1, 2, 1), in_channels=1, hidden=4, kernel_size=1)
    parser = ConfigParser({"network_def": wrapped.wrap_definition(inner)})
    parser.get_parsed_content("network_def").load_state_dict(wrapped.state_dict())


def test_volumes_have_a_normaliser_of_three_axes():
    image = torch.rand(2, 1, 5, 6, 7)
    normaliser = Normaliser(1, hidden=2, spatial_dims=3)
    assert torch.equal(normaliser(image), image)
    assert normaliser.change[1].width.shape == (2, 1, 1, 1)
    inside = {"_target_": "BasicUNet"}
    wrapped = WithNormaliser(torch.nn.Conv3d(1, 2, 1), in_channels=1, spatial_dims=3).wrap_definition(inside)
    assert wrapped["spatial_dims"] == 3
