"""Every recipe adapts a network of volumes, and one of the slices of volumes, to unlabelled volumes."""

import csv
import json
import math
import shutil

import pytest
import torch
from bundle_support import BUNDLES, network_of, random_weights, run, untrained_helpers, workflow, write_volumes

from monai_sfda.template.write import CONFIGS, write_configs

RECIPES = sorted(path.stem for path in (CONFIGS / "methods").glob("*.json"))
CONTROLS = sorted(path.name for path in (CONFIGS / "methods" / "controls").glob("*.json"))
SIZES = {"volumes": [16, 16, 16], "slices": [16, 32]}


def task(kind):
    size = SIZES[kind]
    network = {"_target_": "BasicUNet", "spatial_dims": len(size), "in_channels": 1, "out_channels": 3}
    return {
        "structures": {"outer": 1, "inner": 2},
        "head": "softmax",
        "image_size": size,
        "volumes": {
            "_target_": "monai_sfda.volumes.VolumeReader",
            "spacing": [1.0] * len(size),
            "percentiles": [0.5, 99.5],
        },
        "network_def": {**network, "features": [4, 4, 8, 8, 8, 4], "norm": "batch", "dropout": 0.1},
        "loss": {"_target_": "DiceCELoss", "include_background": False, "to_onehot_y": True, "softmax": True},
        "feature_layer": "upcat_1",
        "early_layer": "upcat_2",
        "classifier": "$@network.final_conv.weight",
        "default_method": "cbmt",
    }


@pytest.fixture(scope="module", params=SIZES)
def bundle(request, tmp_path_factory):
    """A bundle for volumes, with class ratios as `scripts/class_ratios.py` writes them."""
    folder = tmp_path_factory.mktemp(request.param) / "bundle"
    write_configs(folder / "configs", task(request.param))
    shutil.copy(BUNDLES[-1] / "configs" / "metadata.json", folder / "configs")
    (folder / "models").mkdir()
    ratios = {"background": 0.8, "outer": 0.15, "inner": 0.05}
    (folder / "models" / "source_ratios.json").write_text(json.dumps({"ratios": ratios}))
    return folder


@pytest.fixture(scope="module")
def volumes(tmp_path_factory):
    return write_volumes(tmp_path_factory.mktemp("volumes"))


@pytest.mark.parametrize("method", RECIPES)
def test_recipe_runs_and_delivers(bundle, volumes, method, tmp_path):
    size = task("volumes" if "volumes" in str(bundle) else "slices")["image_size"]
    weights = random_weights(bundle, tmp_path / "model.pt")
    output = tmp_path / "run"
    run(
        bundle, "adapt.json", f"methods/{method}.json", dataset_dir=str(volumes), output_dir=str(output), epochs=2,
        checkpoint=str(weights), batch_size=2, image_size=size, **untrained_helpers(bundle, method, tmp_path),
    )  # fmt: skip
    with (output / "history.csv").open(encoding="utf-8-sig") as file:
        assert all(math.isfinite(float(row["loss"])) for row in csv.DictReader(file))
    report = json.loads((output / "report.json").read_text())
    sampled = "6 windows of 3 volumes" if len(size) == 3 else "18 slices of 3 volumes"
    assert report["data"] == {"images": 3, "sampled": sampled, "skipped": []}
    assert report["settings"]["sampled"] == sampled
    adapted, source = network_of(output / "bundle").state_dict(), torch.load(weights, weights_only=True)
    assert any(name not in source or not torch.equal(adapted[name], source[name]) for name in adapted)
    assert all(tensor.isfinite().all() for tensor in adapted.values())
    assert "without labels" in (output / "report.html").read_text()


def test_the_parts_of_every_control_fit_each_other(bundle, volumes, tmp_path):
    size = task("volumes" if "volumes" in str(bundle) else "slices")["image_size"]
    places = {"dataset_dir": str(volumes), "output_dir": str(tmp_path / "run"), "image_size": size}
    weights = str(random_weights(bundle, tmp_path / "model.pt"))
    for control in CONTROLS:
        over = "cbmt" if control.startswith(("cbmt", "shrinkage")) else "grad_cl"
        item = workflow(
            bundle, "adapt.json", f"methods/{over}.json", f"methods/controls/{control}", checkpoint=weights, **places
        )
        item.initialize()
        assert item.parser.get_parsed_content("train::trainer").adapted is not None
