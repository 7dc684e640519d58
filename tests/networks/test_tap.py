"""FeatureTap: the right output, with its graph, from the right network."""

import copy

import pytest
import torch
from torch import nn
from torch.nn.parallel import DataParallel

from monai_sfda.networks import FeatureTap


@pytest.fixture
def network():
    body = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
    return nn.Sequential(body, nn.Linear(3, 1))


def test_it_keeps_the_last_output(network):
    tap = FeatureTap(network, "0.0")
    for x in (torch.rand(4, 2), torch.rand(5, 2)):
        network(x)
        assert torch.equal(tap.output, network[0][0](x))


def test_the_output_keeps_its_graph(network):
    with FeatureTap(network, "0") as tap:
        network(torch.rand(4, 2))
        tap.output.sum().backward()
    assert network[0][0].weight.grad is not None
    assert network[1].weight.grad is None  # lies behind the tap


def test_autocast_reaches_the_output(network):
    with FeatureTap(network, "0") as tap, torch.autocast("cpu", torch.bfloat16):
        network(torch.rand(4, 2))
        assert tap.output.dtype == torch.bfloat16


def test_a_removed_tap_hears_nothing(network):
    with FeatureTap(network, "0") as tap:
        network(torch.rand(4, 2))
    network(torch.rand(4, 2))
    with pytest.raises(RuntimeError, match="Expected a forward through layer '0', found none"):
        _ = tap.output


def test_a_copy_of_the_network_does_not_write_into_the_tap(network):
    tap = FeatureTap(network, "0")
    network(torch.rand(4, 2))
    kept = tap.output
    copy.deepcopy(network)(torch.rand(6, 2))
    assert tap.output is kept


def test_a_parallel_wrapper_is_looked_through(network):
    assert FeatureTap(DataParallel(network), "0.0").layer == "0.0"


def test_an_unknown_layer_is_refused_with_close_names(network):
    with pytest.raises(
        ValueError, match=r"Expected the name of a layer of Sequential, found '0\.7'; use one such as .*0\.0"
    ):
        FeatureTap(network, "0.7")


@pytest.mark.parametrize("layer", ["", "nothing like it"])
def test_a_layer_far_from_any_name_gets_the_outermost_names(network, layer):
    with pytest.raises(ValueError, match=r"use one such as 0, 1\.$"):
        FeatureTap(network, layer)


def test_a_layer_that_gives_no_tensor_is_refused():
    network = nn.Sequential(nn.LSTM(2, 3))
    tap = FeatureTap(network, "0")
    with pytest.raises(ValueError, match=r"Expected layer '0' to give a tensor, found a tuple"):
        network(torch.rand(1, 4, 2))
    tap.remove()
