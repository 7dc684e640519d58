import hashlib
import json

import pytest
import torch
from monai.bundle import ConfigParser
from torch import nn

from monai_sfda.delivery import write_bundle
from monai_sfda.networks import WithNormaliser, load_network
from monai_sfda.passport import source_cutoffs, write_passport

RECORD = {"method": "bn_stats", "images": 3}


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
    target = write_bundle(bundle, tmp_path / "new", network, RECORD)
    assert tree(target) == {"configs/metadata.json", "models/model.pt", "docs/README.md"}
    assert torch.equal(torch.load(target / "models/model.pt", weights_only=True)["weight"], network.weight)
    event = "adapted with bn_stats to 3 unlabelled images of the user's own"
    assert json.loads((target / "configs/metadata.json").read_text()) == {
        "version": "1+bn.stats",
        "changelog": {"1+bn.stats": event},
        "data_source": f"{event}, not described here; before: unknown",
        "eval_metrics": {},
        "intended_use": "Research only. Adapted weights: read the report of the adaptation first.",
        "adaptation": RECORD,
    }


def test_what_was_said_of_the_source_weights_is_not_said_of_the_adapted_ones(bundle, tmp_path):
    said = {"version": "1", "changelog": {"1": "first"}, "eval_metrics": {"dice": 1}, "data_source": "no person"}
    (bundle / "configs" / "metadata.json").write_text(json.dumps(said))
    once = write_bundle(bundle, tmp_path / "once", nn.Conv2d(1, 1, 1), RECORD)
    metadata = json.loads((once / "configs/metadata.json").read_text())
    assert metadata["eval_metrics"] == {}
    assert metadata["data_source"].startswith("adapted with bn_stats to 3 unlabelled images")
    assert list(metadata["changelog"]) == [metadata["version"], "1"] == ["1+bn.stats", "1"]
    assert (
        (once / "docs" / "README.md").read_text().startswith("ADAPTED: models/model.pt was adapted with bn_stats to 3")
    )
    twice = write_bundle(once, tmp_path / "twice", nn.Conv2d(1, 1, 1), RECORD | {"method": "dpl"})
    assert json.loads((twice / "configs/metadata.json").read_text())["version"] == "1+bn.stats.dpl"


def test_the_cut_offs_of_the_run_travel_with_the_adapted_weights_and_can_be_replaced(bundle, tmp_path):
    write_passport(bundle / "models" / "model.pt", cutoff={"disc": 0.9})  # of the source's weights
    config = bundle / "configs" / "inference.json"
    config.write_text(json.dumps({"cutoff": "$source_cutoffs(@checkpoint, @structures)"}))
    record = RECORD | {"settings": {"cutoff": {"disc": 0.4}}}
    target = write_bundle(bundle, tmp_path / "new", nn.Conv2d(1, 1, 1), record, cutoffs={"disc": 0.4})
    assert source_cutoffs(target / "models" / "model.pt", ["disc"]) == {"disc": 0.4}
    # an expression takes any number that a person types
    assert json.loads((target / "configs" / "inference.json").read_text()) == json.loads(config.read_text())
    plain = write_bundle(bundle, tmp_path / "plain", nn.Conv2d(1, 1, 1), RECORD)
    assert not (plain / "models" / "passport.json").exists()


def test_the_source_bundle_is_left_alone(bundle, tmp_path):
    before = {name: hashlib.sha256((bundle / name).read_bytes()).hexdigest() for name in tree(bundle)}
    write_bundle(bundle, tmp_path / "new", nn.Conv2d(1, 1, 1), RECORD)
    assert before == {name: hashlib.sha256((bundle / name).read_bytes()).hexdigest() for name in tree(bundle)}


def test_leftovers_of_a_stopped_copy_are_replaced(bundle, tmp_path):
    (tmp_path / "new.part").mkdir()
    (tmp_path / "new.part" / "half").write_text("")
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "stale").write_text("")
    target = write_bundle(bundle, tmp_path / "new", nn.Conv2d(1, 1, 1), RECORD)
    assert "stale" not in tree(target)
    assert "half" not in tree(target)
    assert not (tmp_path / "new.part").exists()


def test_a_network_other_than_the_bundles_own_is_defined_in_the_copy(bundle, tmp_path):
    definition = {"_target_": "torch.nn.Conv2d", "in_channels": 3, "out_channels": 2, "kernel_size": 1}
    config = {"network_def": definition, "network": "@network_def"}
    (bundle / "configs" / "inference.json").write_text(json.dumps(config))
    network = WithNormaliser(nn.Conv2d(3, 2, 1))
    target = write_bundle(bundle, tmp_path / "new", network, RECORD, redefine=network.wrap_definition)
    parser = ConfigParser(json.loads((target / "configs" / "inference.json").read_text()))
    load_network(parser.get_parsed_content("network"), target / "models" / "model.pt")
    assert json.loads((bundle / "configs" / "inference.json").read_text()) == config
