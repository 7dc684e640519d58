"""Policies: what follows, what is frozen, what drops; affine parameters stay untouched."""

import pytest
import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from monai_sfda.networks import (
    average_stats,
    eval_mode,
    frozen_stats,
    learn_norm_affine,
    learn_nothing,
    norm_layers,
    require_batch_norm,
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


@pytest.mark.parametrize("policy", [track_stats, track_stats_without_dropout, frozen_stats, eval_mode])
def test_a_policy_leaves_scale_and_offset_alone(network, policy):
    before = [tensor.clone() for tensor in network.parameters()]
    policy(network)
    assert all(map(torch.equal, before, network.parameters()))
    assert all(tensor.requires_grad for tensor in network.parameters())


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


class SynchronisedByHand(_BatchNorm):
    """As the released code of CBMT and DPL: of the common base class, not of BatchNorm2d."""


class HomeMade(nn.Module):
    """Batch norm in all but class."""

    def __init__(self):
        super().__init__()
        self.register_buffer("running_mean", torch.zeros(2))


def test_scale_and_offset_learn_and_nothing_else(network):
    assert learn_norm_affine(network) is network
    learning = [name for name, p in network.named_parameters() if p.requires_grad]
    assert learning == ["1.weight", "1.bias", "3.weight", "3.bias"]  # 2 per batch norm


def test_a_step_leaves_all_other_parameters_bit_identical(network):
    del network[3]  # SyncBatchNorm does not run on a CPU
    before = {name: p.detach().clone() for name, p in learn_norm_affine(network).named_parameters()}
    optimizer = torch.optim.Adam([p for p in network.parameters() if p.requires_grad], lr=0.1)
    network(torch.randn(4, 1, 3, 3)).square().mean().backward()
    optimizer.step()
    changed = {name for name, p in network.named_parameters() if not torch.equal(p, before[name])}
    assert changed == {"1.weight", "1.bias"}


def test_a_synchronised_class_of_its_own_is_found_too():
    network = nn.Sequential(nn.Conv2d(1, 2, 1), SynchronisedByHand(2))
    assert require_batch_norm(network) == [network[1]]
    learn_norm_affine(network)
    assert network[1].weight.requires_grad
    assert not network[0].weight.requires_grad


@pytest.mark.parametrize("prepare", [learn_norm_affine, learn_nothing, average_stats, require_batch_norm])
def test_a_network_without_batch_norm_is_refused(prepare):
    with pytest.raises(ValueError, match="Expected batch norm in Sequential, found none"):
        prepare(nn.Sequential(nn.Conv2d(1, 2, 1), nn.InstanceNorm2d(2)))


@pytest.mark.parametrize(
    "other", [nn.GroupNorm(1, 2), nn.InstanceNorm2d(2, affine=True), nn.LayerNorm(2), HomeMade()], ids=repr
)
def test_normalisation_that_would_be_missed_is_refused_and_leaves_the_network_alone(other):
    network = nn.Sequential(nn.BatchNorm2d(2), nn.ModuleDict({"odd": other}))
    with pytest.raises(ValueError, match=rf"found 1 other\(s\) such as '1.odd' \({type(other).__name__}\)"):
        learn_norm_affine(network)
    assert all(p.requires_grad for p in network.parameters())


def test_normalisation_without_a_state_has_nothing_to_miss():
    require_batch_norm(nn.Sequential(nn.BatchNorm2d(2), nn.InstanceNorm2d(2)))


def test_batch_norm_without_scale_and_offset_has_nothing_to_learn():
    with pytest.raises(ValueError, match="found affine=False"):
        learn_norm_affine(nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2, affine=False)))


def test_learning_nothing_freezes_all(network):
    assert not any(p.requires_grad for p in learn_nothing(network).parameters())


@pytest.mark.parametrize(
    ("average", "mean"),
    [
        ("exponential", 8.88),  # 10 -> .9 * 10 + .1 * 2 = 9.2 -> .9 * 9.2 + .1 * 6 = 8.88
        ("cumulative", 4.0),  # the source's 10 forgotten, (2 + 6) / 2
    ],
)
def test_running_statistics_follow_the_named_average(average, mean):
    network = nn.Sequential(nn.BatchNorm1d(1, momentum=0.5))
    network[0].running_mean.fill_(10.0)
    network[0].num_batches_tracked.fill_(1000)
    assert average_stats(network, average) is network
    track_stats_without_dropout(network)
    for batch in ([[1.0], [3.0]], [[5.0], [7.0]]):
        network(torch.tensor(batch))
    assert network[0].running_mean.item() == pytest.approx(mean, rel=1e-6)  # float32 sums of 3 terms


def test_an_unknown_average_and_absent_statistics_are_refused(network):
    with pytest.raises(ValueError, match="Expected average 'exponential' or 'cumulative', found 'mean'"):
        average_stats(network, "mean")
    with pytest.raises(ValueError, match="found track_running_stats=False"):
        average_stats(nn.Sequential(nn.BatchNorm2d(2, track_running_stats=False)))
