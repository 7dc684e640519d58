"""Policies: what follows, what is frozen, what drops; affine parameters stay untouched."""

import pytest
import torch
from torch import nn

from monai_sfda.networks import (
    eval_mode,
    frozen_stats,
    norm_layers,
    stochastic_layers,
    track_stats,
    track_stats_without_dropout,
)


@pytest.fixture
def network():
    return nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2), nn.Dropout(0.5), nn.SyncBatchNorm(2), nn.Dropout2d(0.5))


@pytest.mark.parametrize(
    ("policy", "norm", "dropout"),
    [
        (track_stats, True, True),
        (track_stats_without_dropout, True, False),
        (frozen_stats, False, True),
        (eval_mode, False, False),
    ],
)
@pytest.mark.parametrize("before", [True, False])
def test_a_policy_decides_whatever_was_before(network, policy, norm, dropout, before):
    policy(network.train(before))
    assert [layer.training for layer in norm_layers(network)] == [norm, norm]
    assert [layer.training for layer in stochastic_layers(network)] == [dropout, dropout]


def test_layers_are_found_by_base_class(network):
    assert norm_layers(network) == [network[1], network[3]]
    assert stochastic_layers(network) == [network[2], network[4]]


def test_tracked_statistics_follow_and_frozen_ones_do_not():
    network = nn.Sequential(nn.BatchNorm1d(1))
    x = torch.tensor([[1.0], [3.0]])
    frozen_stats(network)
    network(x)
    assert network[0].running_mean.item() == 0.0
    track_stats(network)
    network(x)
    assert network[0].running_mean.item() == pytest.approx(0.2)  # 0.9 * 0 + 0.1 * mean 2


def test_frozen_statistics_still_let_affine_parameters_learn():
    network = nn.Sequential(nn.BatchNorm1d(1))
    frozen_stats(network)
    network(torch.tensor([[1.0]])).sum().backward()
    assert network[0].weight.grad.item() == pytest.approx(1.0, rel=1e-5)  # (1 - 0) / sqrt(1 + eps)


def test_frozen_statistics_without_batch_norm_are_refused_and_leave_the_network_alone():
    network = nn.Sequential(nn.Conv2d(1, 2, 1), nn.InstanceNorm2d(2)).eval()
    with pytest.raises(ValueError, match="Expected batch norm in Sequential, found none; use track_stats or eval_mode"):
        frozen_stats(network)
    assert not network.training
