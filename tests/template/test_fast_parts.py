"""What makes a bundle fast is in its configs: drawn dropout, and discriminators in the precision of the network."""

import json

import pytest
from bundle_support import ROOT
from monai.bundle import ConfigParser

from monai_sfda.networks import stochastic_layers
from monai_sfda.networks.fast import LaneDropout

BUNDLE = ROOT / "bundles" / "nuclei_fluorescence"


@pytest.mark.parametrize("config", ["train.json", "adapt.json"])
def test_the_network_that_learns_draws_dropout_in_lanes(config):
    parser = ConfigParser()
    parser.read_config(str(BUNDLE / "configs" / config))
    parser["bundle_root"] = str(BUNDLE)
    assert {type(layer) for layer in stochastic_layers(parser.get_parsed_content("network"))} == {LaneDropout}


@pytest.mark.parametrize("method", ["advent", "mpscl", "beal"])
def test_discriminators_compute_in_the_precision_of_the_run(method):
    recipe = json.loads((BUNDLE / "configs" / "methods" / f"{method}.json").read_text())["method"]
    for adversary in recipe["adversaries"].values():
        parser = ConfigParser({"criterion": adversary["criterion"], "precision": "bfloat16", "head": "softmax"})
        assert parser.get_parsed_content("criterion").precision == "bfloat16"
