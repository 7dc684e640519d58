"""Numbers worked by hand for transferability and the distance it weighs."""

import pytest
import torch
from torch import nn

from monai_sfda.losses import StatisticConsistency, transferability


@pytest.fixture
def layers():
    return [nn.BatchNorm2d(2), nn.BatchNorm2d(2)]


def diverge(layers, divergence):
    """Source mean 0 and variance 1 - eps, so that the running mean is the divergence."""
    for layer, means in zip(layers, divergence, strict=True):
        layer.running_mean.copy_(torch.tensor(means))
        layer.running_var.fill_(1 - layer.eps)


def test_transferability_of_four_channels():
    weight = transferability(torch.tensor([[0.0, 1.0], [3.0, 0.0]]))
    # 1 / (1 + d) = 1, .5, .25, 1, of sum 2.75; times 4 / 2.75.
    torch.testing.assert_close(weight, torch.tensor([[1.4545, 0.7273], [0.3636, 1.4545]]), atol=5e-5, rtol=0)
    assert weight.sum().item() == pytest.approx(4)


def test_equal_divergence_weighs_all_channels_one():
    assert transferability(torch.full((3, 5), 7.0)).tolist() == [[1.0] * 5] * 3


def test_larger_divergence_weighs_strictly_less():
    weight = transferability(torch.linspace(0, 100, 50))
    assert (weight.diff() < 0).all()


def test_at_the_source_the_loss_and_its_gradient_are_zero(layers):
    loss = StatisticConsistency(layers)()
    loss.backward()
    assert loss.item() == 0
    assert all((p.grad == 0).all() for layer in layers for p in layer.parameters())


def test_with_equal_divergence_the_loss_is_twice_the_l1_distance(layers):
    total, mean = StatisticConsistency(layers, reduction="sum"), StatisticConsistency(layers)
    with torch.no_grad():
        layers[0].weight += torch.tensor([0.5, -0.25])
        layers[1].bias += 1.0
    assert total(pred=None, case=[]).item() == pytest.approx(2 * (0.75 + 2.0))
    assert mean().item() == pytest.approx(2 * (0.75 + 2.0) / 4)


def test_channels_that_diverge_are_held_less(layers):
    loss = StatisticConsistency(layers, reduction="sum")
    diverge(layers, [[0.0, 1.0], [3.0, 0.0]])
    torch.testing.assert_close(loss.divergence(), torch.tensor([0.0, 1.0, 3.0, 0.0]), atol=1e-6, rtol=1e-6)
    with torch.no_grad():
        for layer in layers:
            layer.weight += 1
    loss().backward()
    # gradient 1 + a where scale grew, 0 where the offset stayed
    torch.testing.assert_close(layers[0].weight.grad, torch.tensor([2.4545, 1.7273]), atol=5e-5, rtol=0)
    torch.testing.assert_close(layers[1].weight.grad, torch.tensor([1.3636, 2.4545]), atol=5e-5, rtol=0)
    assert layers[0].bias.grad.tolist() == [0, 0]


def test_statistics_of_equal_ratio_do_not_diverge(layers):
    for layer in layers:
        layer.running_mean.fill_(1.0)
    loss = StatisticConsistency(layers)
    for layer in layers:
        layer.running_mean.mul_(10)
        layer.running_var.mul_(100)
    assert loss.divergence().max() < 1e-5  # eps of 1e-5 against variances of 1 and 100


def test_a_channel_that_never_varied_stays_finite(layers):
    loss = StatisticConsistency(layers)
    diverge(layers, [[1e4, 0.0], [0.0, 0.0]])
    layers[0].running_var.zero_()
    assert loss().isfinite()
    assert transferability(loss.divergence()).isfinite().all()


def test_layers_it_cannot_hold_are_refused(layers):
    for wrong in ([], [nn.BatchNorm2d(2, affine=False)], [nn.BatchNorm2d(2, track_running_stats=False)]):
        with pytest.raises(ValueError, match="Expected batch norm layers"):
            StatisticConsistency(wrong)
    with pytest.raises(ValueError, match="found 'max'"):
        StatisticConsistency(layers, reduction="max")
