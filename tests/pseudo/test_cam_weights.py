import pytest
import torch
from torch import nn

from monai_sfda.pseudo import FixedWeights, GradCam, RandomWeights

# Head v = [.5, -1] on two channels of 2 x 2, the first column labelled.
V = torch.tensor([0.5, -1.0])
FEATURES = torch.tensor([[[[1.0, 0], [2, 0]], [[0, 1], [0, 3]]]])
MASK = torch.tensor([[1.0, 0], [1, 0]])


def linear():
    features = FEATURES.clone().requires_grad_()
    return features, (torch.einsum("bdhw,d->bhw", features, V) * MASK).sum((1, 2))[:, None]


def random_case(images=3, depth=5, grid=(6, 4), classes=2):
    generator = torch.Generator().manual_seed(0)
    return scored(torch.randn(images, depth, *grid, generator=generator).requires_grad_(), classes)


def scored(features, classes=2):
    head = torch.randn(classes, *features.shape[1:], generator=torch.Generator().manual_seed(1))
    return features, torch.einsum("bdhw,kdhw->bk", features.tanh(), head)


def test_grad_cam_of_a_linear_head_worked_by_hand():
    weights = GradCam()(*linear())
    assert weights.tolist() == [[[0.25, -0.5]]]
    guided = (weights[0, 0, :, None, None] * FEATURES[0]).relu()
    assert guided.tolist() == [[[0.25, 0], [0.5, 0]], [[0, 0], [0, 0]]]


@pytest.mark.parametrize("weighting", [GradCam(), RandomWeights(GradCam())])
def test_weights_of_an_image_do_not_depend_on_the_others(weighting):
    features, score = random_case()
    whole = weighting(features, score)
    assert whole.shape == (3, 2, 5)
    assert not whole.requires_grad
    alone = features.detach().clone()
    alone[1:] = 9
    torch.testing.assert_close(weighting(*scored(alone.requires_grad_()))[0], whole[0])


def test_random_weights_have_the_norm_of_the_others_and_one_direction():
    case = random_case()
    expected, found = GradCam()(*case), RandomWeights(GradCam(), seed=1)(*case)
    torch.testing.assert_close(found.norm(dim=2), expected.norm(dim=2))
    directions = nn.functional.normalize(found, dim=2)
    torch.testing.assert_close(directions, directions[:1].expand(3, -1, -1))
    assert torch.equal(found, RandomWeights(GradCam(), seed=1)(*case))
    assert not torch.allclose(found, RandomWeights(GradCam(), seed=2)(*case))


def test_fixed_weights_are_those_of_a_convolution_when_it_was_given():
    head = nn.Conv2d(5, 2, 1)
    fixed = FixedWeights(head.weight)
    expected = head.weight.detach().flatten(1).clone()
    nn.init.zeros_(head.weight)
    assert torch.equal(fixed(*random_case()), expected.expand(3, -1, -1))


@pytest.mark.parametrize("weighting", [GradCam(), RandomWeights(GradCam())])
def test_nothing_labelled_gives_weights_of_zero(weighting):
    features, score = random_case()
    weights = weighting(features, score * 0)
    assert not weights.nan_to_num(nan=1.0).any()


def test_batch_statistics_right_after_the_features_are_refused_with_the_reason():
    torch.manual_seed(0)
    norm = nn.BatchNorm2d(5)
    head = nn.Sequential(norm, nn.ReLU(), nn.Conv2d(5, 2, 1))
    features = torch.randn(4, 5, 8, 8, requires_grad=True)
    score = head(features)[..., :4].flatten(2).sum(2)
    gradient = torch.autograd.grad(score[:, 0].sum(), features, retain_graph=True)[0]
    # Sums of 256 float32 numbers of size about 1.
    assert gradient.sum((0, 2, 3)).abs().max() < 1e-4 * gradient.abs().sum((0, 2, 3)).max()
    with pytest.raises(ValueError, match=r"cancel in every channel: .* \(batch norm with batch statistics, .* ignores"):
        GradCam()(features, score)
    norm.eval()
    assert GradCam()(features, head(features)[..., :4].flatten(2).sum(2)).abs().max() > 0
