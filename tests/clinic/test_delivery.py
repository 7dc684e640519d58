import hashlib
import json

import pytest
import torch
from monai.bundle import ConfigParser
from torch import nn

from monai_sfda.clinic import write_bundle
from monai_sfda.networks import WithNormaliser, load_network


@pytest.fixture
def bundle(tmp_path):
    root = tmp_path / "source"
    for name in ("configs/metadata.json", "models/model.pt", "models/model.ts", "eval/old.txt", "docs/README.md"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text('{"version": "1"}' if name.endswith("json") else "old")
    return root


def tree(root):
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


def test_copy_has_new_weights_and_a_record_and_nothing_of_the_old_weights(bundle, tmp_path):
    network = nn.Conv2d(1, 1, 1)
    target = write_bundle(bundle, tmp_path / "new", network, {"method": "cbmt"})
    assert tree(target) == {"configs/metadata.json", "models/model.pt", "docs/README.md"}
    assert torch.equal(torch.load(target / "models/model.pt", weights_only=True)["weight"], network.weight)
    assert json.loads((target / "configs/metadata.json").read_text()) == {
        "version": "1",
        "adaptation": {"method": "cbmt"},
    }


def test_the_source_bundle_is_left_alone(bundle, tmp_path):
    before = {name: hashlib.sha256((bundle / name).read_bytes()).hexdigest() for name in tree(bundle)}
    write_bundle(bundle, tmp_path / "new", nn.Conv2d(1, 1, 1), {})
    assert before == {name: hashlib.sha256((bundle / name).read_bytes()).hexdigest() for name in tree(bundle)}


def test_leftovers_of_a_stopped_copy_are_replaced(bundle, tmp_path):
    (tmp_path / "new.part").mkdir()
    (tmp_path / "new.part" / "half").write_text("")
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "stale").write_text("")
    target = write_bundle(bundle, tmp_path / "new", nn.Conv2d(1, 1, 1), {})
    assert "stale" not in tree(target)
    assert "half" not in tree(target)
    assert not (tmp_path / "new.part").exists()


def test_a_network_other_than_the_bundles_own_is_defined_in_the_copy(bundle, tmp_path):
    definition = {"_target_": "torch.nn.Conv2d", "in_channels": 3, "out_channels": 2, "kernel_size": 1}
    config = {"network_def": definition, "network": "@network_def"}
    (bundle / "configs" / "inference.json").write_text(json.dumps(config))
    network = WithNormaliser(nn.Conv2d(3, 2, 1))
    target = write_bundle(bundle, tmp_path / "new", network, {}, redefine=network.wrap_definition)
    parser = ConfigParser(json.loads((target / "configs" / "inference.json").read_text()))
    load_network(parser.get_parsed_content("network"), target / "models" / "model.pt")
    assert json.loads((bundle / "configs" / "inference.json").read_text()) == config
