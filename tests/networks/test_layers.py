"""Layers that give features are told from the logits, whatever the network."""

import pytest
import torch
from conftest import tiny_network
from monai.networks.nets import BasicUNet, UNet
from torch import nn
from torch.nn.parallel import DataParallel

from monai_sfda.engines import AdaptTrainer
from monai_sfda.losses import EntropyLoss
from monai_sfda.networks import DeepLabV3Plus, FeatureTap, Head
from monai_sfda.networks.layers import check_feature_layer, feature_layers, suggest_layers
from monai_sfda.pseudo import GradientGuided, MonteCarlo


def test_a_layer_without_a_name_is_one_sentence():
    network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU(), nn.Conv2d(4, 2, 1))
    for use in (lambda: Head(network, None, 2), lambda: FeatureTap(network, None)):
        with pytest.raises(ValueError, match=r"the name of a layer of Sequential, found none; name one such as .*task"):
            use()


def test_features_are_what_a_later_layer_makes_logits_of(network):
    assert feature_layers(network) == ["0", "1", "2", "3"]
    assert feature_layers(DataParallel(network)) == ["0", "1", "2", "3"]


@pytest.mark.parametrize(
    ("network", "good", "logits"),
    [
        (DeepLabV3Plus(3, 2), ("decoder.feature", "aspp"), ("decoder", "decoder.head", "decoder.head.1")),
        (BasicUNet(2, 3, 2, features=(8, 8, 8, 8, 8, 8)), ("upcat_1", "upcat_2"), ("final_conv",)),
        (UNet(2, 1, 2, channels=(4, 8), strides=(2,)), ("model.0", "model.1"), ("model", "model.2")),
    ],
)
def test_shipped_and_other_networks_are_known(network, good, logits):
    for layer in good:
        check_feature_layer(network, layer)
    for layer in logits:
        with pytest.raises(ValueError, match=rf"found '{layer}', which gives the logits or no map, .*; use one before"):
            check_feature_layer(network, layer)
        assert not set(suggest_layers(network, layer)) & set(logits)
        assert suggest_layers(network, "nothing like it")[0] not in logits


def test_a_layer_that_is_not_called_is_refused():
    with pytest.raises(ValueError, match=r"found 'decoder\.feature\.0', which no forward calls"):
        check_feature_layer(DeepLabV3Plus(3, 2), "decoder.feature.0")


def test_features_may_be_fewer_than_classes():
    check_feature_layer(tiny_network(channels=12), "2")
    with pytest.raises(ValueError, match="found '4'"):
        check_feature_layer(tiny_network(channels=12), "4")


def test_a_pooled_map_is_no_feature():
    pooled = nn.Sequential(nn.Conv2d(3, 8, 1), nn.AdaptiveAvgPool2d(1), nn.Upsample((128, 128)), nn.Conv2d(8, 2, 1))
    assert feature_layers(pooled) == ["0", "2"]


def test_a_network_that_cannot_be_asked_is_believed():
    network = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    assert feature_layers(network) == []
    check_feature_layer(network, "1")
    assert set(suggest_layers(network, "2")) == {"0", "1"}


def test_asking_leaves_no_trace(network):
    network.train()
    tap = FeatureTap(network, "2")
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    check_feature_layer(network, "2")
    assert torch.equal(torch.rand(1), expected)
    assert network.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    with pytest.raises(RuntimeError, match="found none; call the network first"):
        _ = tap.output


def test_all_that_take_a_layer_refuse_the_logits(network):
    def engine(layer):
        optimizer = torch.optim.Adam(network.parameters())
        settings = {"device": "cpu", "max_epochs": 1, "train_data_loader": [], "criterion": EntropyLoss()}
        return AdaptTrainer(network=network, optimizer=optimizer, feature_layer=layer, **settings)

    for make in (engine, lambda layer: MonteCarlo(network, layer=layer), lambda layer: GradientGuided(network, layer)):
        make("2")
        with pytest.raises(ValueError, match="that gives features, found '4', which gives the logits"):
            make("4")


def test_networks_for_volumes_are_known():
    network = BasicUNet(3, 1, 2, features=(4, 4, 4, 4, 4, 4))
    check_feature_layer(network, "upcat_1")
    with pytest.raises(ValueError, match="found 'final_conv', which gives the logits or no map"):
        check_feature_layer(network, "final_conv")
