import math

import pytest
import torch
from torch import nn

from monai_sfda.losses import CosineDisalignment, MaskedBCE, WeightedSum
from monai_sfda.protocols import PseudoLabel
from monai_sfda.pseudo import GradCam, RandomWeights

DISC = torch.tensor([[1.0, 1, 0]])
CUP = torch.tensor([[1.0, 0, 0]])


def vectors(cup, rim, **kwargs):
    """Loss of one image whose cup pixel has the feature ``cup`` and whose rim pixel ``rim``."""
    features = torch.tensor([cup, rim, [7.0] * len(cup)]).T[None, :, None]
    label = torch.stack([DISC, CUP])[None]
    loss = CosineDisalignment(weighting=None, nested=[(0, 1)], **kwargs)
    return loss(pred=label, features=features, pseudo=PseudoLabel(label, torch.ones_like(label))).item()


def random_step(seed=0, *, images=3, classes=2, nested=True, size=8):
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(images, 5, size // 2, size // 2, generator=generator).requires_grad_()
    head = nn.Conv2d(5, classes, 1)
    head.weight.data = torch.randn(classes, 5, 1, 1, generator=generator)
    label = (torch.rand(images, classes, size, size, generator=generator) > 0.4).float()
    if nested:
        label[:, 1:] *= label[:, :1]
    weight = (torch.rand(images, classes, size, size, generator=generator) > 0.3).float()
    pred = nn.functional.interpolate(head(features), size=(size, size), mode="bilinear", align_corners=True)
    return {"features": features, "pred": pred, "pseudo": PseudoLabel(label, weight)}


def disalignment(**kwargs):
    return CosineDisalignment(**{"weighting": GradCam(), "nested": [(0, 1)]} | kwargs)


@pytest.mark.parametrize(
    ("cup", "rim", "largest", "shifted"),
    [
        ([1.0, 0.0], [1.0, 1.0], 0.707107, 0.853553),
        ([1.0, 0.0], [0.0, 1.0], 0.0, 0.5),
        ([1.0, 2.0], [1.0, 2.0], 1.0, 1.0),
    ],
)
def test_hand_worked_cosines(cup, rim, largest, shifted):
    assert vectors(cup, rim) == pytest.approx(largest, abs=1e-6)
    assert vectors(cup, rim, form="shifted") == pytest.approx(shifted, abs=1e-6)


def test_hand_worked_contrast():
    # One image: the own mean is the vector itself, cosine 1; the other's is at .707107; log(1 + exp(-2.92893)).
    assert vectors([1.0, 0.0], [1.0, 1.0], form="contrastive") == pytest.approx(0.052077, abs=1e-5)
    # Identical vectors cannot be told apart.
    assert vectors([1.0, 2.0], [1.0, 2.0], form="contrastive") == pytest.approx(math.log(2), abs=1e-6)


def test_weights_worked_by_hand_decide_which_channels_count():
    # Head v = [[1, 0], [0, 1]]: disc reads channel 0, cup channel 1, so nothing is shared whatever the features are.
    head = nn.Conv2d(2, 2, 1, bias=False)
    head.weight.data = torch.eye(2).view(2, 2, 1, 1)
    features = torch.tensor([[3.0, 2.0, 5.0], [1.0, 4.0, 5.0]])[None, :, None].requires_grad_()
    label = torch.stack([DISC, CUP])[None]
    step = {"features": features, "pred": head(features), "pseudo": PseudoLabel(label, torch.ones_like(label))}
    assert disalignment()(**step).item() == 0
    # Plain: cup (3, 1), rim (2, 4), cosine 10 / sqrt(200).
    assert disalignment(weighting=None)(**step).item() == pytest.approx(10 / 200**0.5, abs=1e-6)


@pytest.mark.parametrize("channel", [0, 1])
def test_a_pixel_that_does_not_count_changes_nothing(channel):
    step = random_step()
    label, weight = step["pseudo"]
    label[0, :, :2, :2], weight[0, channel, :2, :2] = 1, 0
    # Position (0, 0) of the features: cup where the cup counts (channel 0 does not), rim or neither where it does not.
    label[0, 1, :2, :2] = channel
    other = step["features"].detach().clone()
    other[0, :, 0, 0] += 100
    loss = disalignment(weighting=None)
    assert torch.equal(loss(**step | {"features": other}), loss(**step))


def test_without_nesting_identical_pixels_are_on_both_sides():
    step = random_step()
    step["pseudo"] = PseudoLabel(step["pseudo"].label[:, :1].expand(-1, 2, -1, -1), torch.ones(3, 2, 8, 8))
    assert disalignment(weighting=None, nested=())(**step).item() == pytest.approx(1, abs=1e-6)
    assert disalignment(weighting=None)(**step).item() == 0


def test_every_pair_of_exclusive_classes_counts():
    features = torch.eye(3).T[None, :, None].clone()
    features[0, 1, 0, 2] = 1  # classes e1, e2 and e2 + e3: cosines 0, 0 and .707107
    label = torch.eye(3)[None, :, None]
    loss = CosineDisalignment(weighting=None)
    found = loss(pred=label, features=features, pseudo=PseudoLabel(label, torch.ones_like(label)))
    assert found.item() == pytest.approx(0.707107 / 3, abs=1e-6)


@pytest.mark.parametrize("form", ["max", "shifted", "contrastive"])
@pytest.mark.parametrize("channel", [0, 1])
def test_an_image_without_cup_or_rim_gives_nothing_and_no_nan(form, channel):
    step = random_step()
    label = step["pseudo"].label
    if channel == 1:
        label[1, 1] = 0
    else:
        label[1, 0] = label[1, 1]
    found = disalignment(form=form)(**step)
    found.backward()
    gradient = step["features"].grad
    assert found.isfinite()
    assert gradient.isfinite().all()
    assert gradient[1].abs().max() == 0
    assert gradient[0].abs().max() > 0


@pytest.mark.parametrize("form", ["max", "shifted", "contrastive"])
def test_nothing_that_counts_gives_zero_with_a_graph(form):
    step = random_step()
    step["pseudo"] = PseudoLabel(step["pseudo"].label, torch.zeros(3, 2, 8, 8))
    found = disalignment(form=form)(**step)
    found.backward()
    assert found.item() == 0
    assert step["features"].grad.abs().max() == 0


@pytest.mark.parametrize("form", ["max", "shifted", "contrastive"])
def test_the_loss_depends_on_directions_only_and_not_on_their_order(form):
    cup, rim = [1.0, 3.0], [2.0, 1.0]
    # Rounding of float32, ten times as large at temperature 0.1.
    expected = pytest.approx(vectors(cup, rim, form=form), abs=1e-5)
    assert vectors([5 * x for x in cup], rim, form=form) == expected
    assert vectors(cup, [0.1 * x for x in rim], form=form) == expected
    assert vectors(rim, cup, form=form) == expected


@pytest.mark.parametrize("weighting", [GradCam(), RandomWeights(GradCam())])
def test_no_gradient_flows_into_the_weights(weighting):
    step = random_step()
    kept = []

    def constant(features, score):
        kept.append(weighting(features, score).detach().clone())
        return kept[-1]

    found = []
    for choice in (weighting, constant, lambda features, score: kept[0]):
        loss = disalignment(weighting=choice)(**step)
        found.append(torch.autograd.grad(loss, step["features"], retain_graph=True)[0])
    assert torch.equal(found[0], found[1])
    assert torch.equal(found[0], found[2])


def test_weighted_means_are_those_of_the_weighted_map():
    step = random_step()
    loss = disalignment()
    weights = GradCam()(step["features"], step["pred"].flatten(2).sum(2))
    share = torch.rand(3, 2, 8, 8).round().bool()
    coarse = nn.functional.avg_pool2d(share.float(), 2)
    guided = (weights[..., None, None] * step["features"][:, None]).relu()
    expected = (guided * coarse[:, :, None]).sum((3, 4)) / coarse.sum((2, 3))[..., None]
    torch.testing.assert_close(loss._pool(step["features"], weights, share), expected)


def test_a_factor_of_zero_trains_as_the_cross_entropy_alone():
    step = random_step()
    both = WeightedSum({"a": MaskedBCE(), "b": disalignment()}, weights={"b": 0.0})
    (one,) = torch.autograd.grad(both(**step), step["features"], retain_graph=True)
    (other,) = torch.autograd.grad(MaskedBCE()(**step), step["features"])
    assert torch.equal(one, other)


def test_descending_separates_the_structures():
    step = random_step()
    features = step["features"].detach().abs().requires_grad_()
    loss = disalignment(weighting=None)
    optimizer = torch.optim.SGD([features], lr=1.0)
    values = []
    for _ in range(50):
        optimizer.zero_grad()
        value = loss(**step | {"features": features})
        value.backward()
        optimizer.step()
        values.append(value.item())
    assert values[-1] < 0.9 * values[0]
    assert values == sorted(values, reverse=True)


def test_batch_statistics_right_after_the_features_are_refused():
    torch.manual_seed(0)
    head = nn.Sequential(nn.BatchNorm2d(5), nn.ReLU(), nn.Conv2d(5, 2, 1))
    step = random_step(size=8)
    step["pred"] = nn.functional.interpolate(head(step["features"]), size=(8, 8))
    with pytest.raises(ValueError, match="mode=frozen_stats"):
        disalignment()(**step)


def test_arguments_are_checked():
    with pytest.raises(ValueError, match="one of max, shifted, contrastive, found 'min'"):
        disalignment(form="min")
    with pytest.raises(ValueError, match="temperature > 0, found 0"):
        disalignment(temperature=0)
    with pytest.raises(ValueError, match="at least 2 channels to compare, found 1"):
        disalignment()(**random_step(classes=1, nested=False))
    with pytest.raises(ValueError, match=r"nested channels below 2, found \[\(0, 2\)\]; choose others"):
        disalignment(nested=[(0, 2)])(**random_step())
