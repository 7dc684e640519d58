import pytest
import torch
from conftest import tiny_network
from monai.networks.nets import BasicUNet

from monai_sfda.networks import DeepLabV3Plus, FeatureTap, Head


def test_it_makes_logits_of_a_layer_of_a_monai_network():
    network = BasicUNet(2, 1, 4, features=(4, 4, 8, 8, 16, 4), norm="batch")
    head = Head(network, "upcat_2", 4)
    with FeatureTap(network, head.layer) as tap:
        network(torch.zeros(2, 1, 32, 32))
        assert head(tap.output).shape == (2, 4, 16, 16)
    assert len(list(network.parameters())) == len(list(BasicUNet(2, 1, 4).parameters()))


def test_a_layer_that_gives_logits_itself_is_passed_on():
    network = DeepLabV3Plus(decoder="boundary")
    head = Head(network, "decoder.boundary", 1, own=True)
    maps = torch.rand(2, 1, 8, 8)
    assert torch.equal(head(maps), maps)
    assert not list(head.parameters())
    with pytest.raises(ValueError, match="that gives 1 channels of logits, found one that gives"):
        Head(network, "aspp", 1, own=True)


def test_a_layer_that_there_is_not_is_refused():
    with pytest.raises(ValueError, match="Expected a layer 'upcat' of Sequential that gives a map, found none that a"):
        Head(tiny_network(), "upcat", 2)
