"""Distance of a batch from the statistics of the source."""

from copy import deepcopy

import pytest
import torch
from torch import nn

from monai_sfda.losses import StatisticMatch


def layer(mean, var):
    norm = nn.BatchNorm2d(1, eps=0).eval()
    norm.running_mean[:] = mean
    norm.running_var[:] = var
    return norm


BATCH = torch.tensor([1.0, 3.0, 1.0, 3.0]).view(2, 1, 1, 2)  # mean 2, deviation 1


def test_numbers_worked_by_hand():
    first, second = layer(2.0, 1.0), layer(0.5, 4.0)
    match = StatisticMatch([first, second])
    second(first(BATCH) + 2)  # the first layer gives -1 and 1
    assert match().item() == pytest.approx((0 + 0 + 1.5 + 1) / 2)


def test_equal_statistics_have_no_distance_and_gradients_reach_the_image():
    norm = layer(2.0, 1.0)
    match = StatisticMatch([norm])
    norm(BATCH)
    assert match().item() == 0
    image = (BATCH * 2).requires_grad_()
    norm(image)
    match().backward()
    assert image.grad.abs().sum() > 0


def test_copies_and_looks_without_gradient_do_not_count():
    norm = layer(0.0, 1.0)
    match = StatisticMatch([norm])
    deepcopy(norm)(BATCH)
    with torch.no_grad():
        norm(BATCH)
    with pytest.raises(RuntimeError, match="found none; call it first"):
        match()


def test_layers_without_statistics_are_refused():
    for layers in ([], [nn.BatchNorm2d(1, track_running_stats=False)]):
        with pytest.raises(ValueError, match="Expected batch norm layers with running statistics"):
            StatisticMatch(layers)
