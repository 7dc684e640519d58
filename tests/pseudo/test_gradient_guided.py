from copy import deepcopy

import pytest
import torch
from torch import nn

from monai_sfda.networks import eval_mode, track_stats
from monai_sfda.pseudo import (
    FixedWeights,
    GradCam,
    GradientGuided,
    LowSpreadOnly,
    MonteCarlo,
    Observe,
    PrototypeAgreement,
    PseudoLabeller,
    RandomWeights,
    Threshold,
)

IMAGE = torch.rand(4, 3, 16, 16, generator=torch.Generator().manual_seed(3))
CASE = list("abcd")


class Upsampled(nn.Module):
    """As DeepLab: a coarse layer, an in-place activation right behind it, logits in the size of the image."""

    def __init__(self, space=2):
        super().__init__()
        torch.manual_seed(0)
        convolution = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}[space]
        self.layer, self.activation = convolution(3, 4, 3, stride=2, padding=1), nn.ReLU(inplace=True)
        self.head = convolution(4, 2, 1)

    def forward(self, image):
        return nn.functional.interpolate(self.head(self.activation(self.layer(image))), size=image.shape[2:])


def linear_head(weight=(0.5, -1.0), bias=10.0):
    head = nn.Conv2d(2, 1, 1)
    head.weight.data = torch.tensor(weight).view(1, 2, 1, 1)
    head.bias.data.fill_(bias)
    return nn.Sequential(nn.Identity(), head)


def labels(observe):
    refiners = [Threshold(cutoff=0.5), LowSpreadOnly(), PrototypeAgreement()]
    torch.manual_seed(7)
    return PseudoLabeller(observe, refiners=refiners)(IMAGE, CASE)


def test_hand_worked_weights_and_features():
    features = torch.tensor([[[[1.0, 0], [2, 0]], [[0, 1], [0, 3]]]])
    # Logits are .5, -1, 1, -3 without bias; those of the first column are above the cut-off 0.6 (logit 0.405).
    observer = GradientGuided(linear_head(bias=0.0), "0", cutoff=0.6)
    evidence = observer(features, ["a"])
    assert evidence.features.tolist() == [[[[[0.25, 0], [0.5, 0]], [[0, 0], [0, 0]]]]]


def test_weights_equal_the_closed_form_of_norm_relu_and_a_linear_head():
    torch.manual_seed(0)
    norm, head = nn.BatchNorm2d(5), nn.Conv2d(5, 2, 1)
    norm.running_mean.normal_(), norm.running_var.uniform_(0.5, 2), norm.weight.data.uniform_(0.5, 2)
    network = nn.Sequential(nn.Identity(), norm, nn.ReLU(), head).eval()
    image = torch.randn(3, 5, 8, 8)
    found = GradientGuided(network, "0", cutoff=0.5)(image, "abc").features
    named = (network(image).sigmoid() > 0.5).float()
    share = torch.einsum("bkhw,bdhw->bkd", named, (norm(image) > 0).float()) / 64
    slope = norm.weight / (norm.running_var + norm.eps).sqrt()
    weights = head.weight.flatten(1) * slope * share
    torch.testing.assert_close(found, (weights[..., None, None] * image[:, None]).relu())


def test_plain_weights_behind_a_relu_give_the_labels_of_dpl_to_the_bit(network):
    ones = FixedWeights(torch.ones(2, 8))
    monte_carlo = MonteCarlo(network, layer="2")
    expected = labels(monte_carlo)
    found = labels(GradientGuided(network, "2", observe=monte_carlo, weighting=ones))
    assert torch.equal(found.label, expected.label)
    assert torch.equal(found.weight, expected.weight)
    assert 0 < expected.weight.mean() < 1


def test_guided_labels_are_other_labels(network):
    monte_carlo = MonteCarlo(network, layer="2")
    expected, found = labels(monte_carlo), labels(GradientGuided(network, "2", observe=monte_carlo, cutoff=0.5))
    assert torch.equal(found.label, expected.label)
    assert not torch.equal(found.weight, expected.weight)


def test_the_gradient_pass_leaves_the_network_alone_and_gives_no_gradient(network):
    network.train()
    before = deepcopy(network.state_dict())
    observer = GradientGuided(network, "0", observe=MonteCarlo(network, layer="0"))
    with torch.no_grad():
        evidence = observer(IMAGE, CASE)
        assert not torch.is_grad_enabled()
    assert not evidence.features.requires_grad
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())
    assert all(parameter.grad is None and parameter.requires_grad for parameter in network.parameters())
    assert network.training
    assert all(torch.equal(before[name], tensor) for name, tensor in observer.network.state_dict().items())
    assert all(parameter.grad is None for parameter in observer.network.parameters())


def test_only_what_follows_the_layer_is_differentiated(network):
    observer = GradientGuided(network, "2")
    with torch.enable_grad():
        observer.network.eval()(IMAGE)
        root = observer._tap.output.grad_fn  # the clone of a leaf, and nothing before it
    assert [type(step).__name__ for step, _ in root.next_functions] == ["AccumulateGrad"]


def test_batch_statistics_right_after_the_layer_are_refused_and_evaluation_is_the_default(network):
    with pytest.raises(ValueError, match="cancel in every channel"):
        GradientGuided(network, "0", cutoff=0.5, mode=track_stats)(IMAGE, CASE)
    default = GradientGuided(network, "0", cutoff=0.5)(IMAGE, CASE)
    assert torch.equal(default.features, GradientGuided(network, "0", cutoff=0.5, mode=eval_mode)(IMAGE, CASE).features)
    assert default.features.abs().max() > 0
    assert default.spread is None


def test_images_do_not_depend_on_each_other(network):
    observer = GradientGuided(network, "0", cutoff=0.5)
    # Convolutions of another batch size may be summed in another order.
    torch.testing.assert_close(observer(IMAGE, CASE).features[1:2], observer(IMAGE[1:2], "b").features)


@pytest.mark.parametrize("weighting", [GradCam(), RandomWeights(GradCam())])
@pytest.mark.parametrize("space", [1, 2, 3])
def test_weightings_are_interchangeable_for_coarse_layers_of_any_dimension(weighting, space):
    image = torch.rand(2, 3, *[8] * space)
    observer = GradientGuided(Upsampled(space), "layer", weighting=weighting, cutoff=0.4, head="softmax")
    with torch.no_grad():
        evidence = observer(image, "ab")
    assert evidence.features.shape == (2, 2, 4, *[4] * space)
    assert evidence.features.isfinite().all()
    assert evidence.features.min() >= 0
    assert evidence.features.max() > 0
    # Rounding of float32.
    torch.testing.assert_close(evidence.probs.sum(1), torch.ones(2, *[8] * space), atol=1e-6, rtol=0)


def test_a_class_without_a_labelled_pixel_has_features_of_zero():
    evidence = GradientGuided(linear_head(bias=-10.0), "0")(torch.rand(2, 2, 4, 4), "ab")
    assert evidence.features.abs().max() == 0


def test_bfloat16_around_it_keeps_features_in_float32(network):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        features = GradientGuided(network, "2", cutoff=0.5)(IMAGE, CASE).features
    assert features.dtype == torch.float32
    # Eight bits of mantissa in each of two convolutions.
    expected = GradientGuided(network, "2", cutoff=0.5)(IMAGE, CASE).features
    torch.testing.assert_close(features, expected, atol=0.05 * float(expected.max()), rtol=0)


def test_an_observer_of_another_layer_is_refused(network):
    with pytest.raises(ValueError, match="an observer of layer '2', found '0'; give the observer the same layer"):
        GradientGuided(network, "2", observe=MonteCarlo(network, layer="0"))
    with pytest.raises(ValueError, match="found None; give the observer the same layer"):
        GradientGuided(network, "2", observe=MonteCarlo(network))
    with pytest.raises(ValueError, match=r"observed features \(4, 8, 16, 16\) of layer '2', found None; give"):
        GradientGuided(network, "2", observe=Observe(network))(IMAGE, CASE)


def test_an_unknown_layer_is_refused(network):
    with pytest.raises(ValueError, match="name of a layer of Sequential, found 'nothing'"):
        GradientGuided(network, "nothing")
