"""Every recipe of every bundle is read, built and run for one epoch on a few images."""

import csv
import json
import math

import pytest
import torch
from bundle_support import (
    BUNDLES,
    RECIPES,
    adaptation,
    network_of,
    random_weights,
    recipe_id,
    run,
    workflow,
    write_images,
)


def test_there_are_recipes_in_every_bundle():
    assert {bundle for bundle, _ in RECIPES} == set(BUNDLES)
    assert BUNDLES


@pytest.mark.parametrize("bundle", BUNDLES, ids=recipe_id)
def test_the_default_is_a_recipe_that_changes_nothing(bundle):
    method = json.loads((bundle / "configs" / "adapt.json").read_text())["method"]
    recipe = json.loads((bundle / "configs" / "methods" / f"{method['name']}.json").read_text())
    assert recipe == {"method": method}


@pytest.mark.parametrize(("bundle", "method"), RECIPES, ids=recipe_id)
def test_recipe_runs_and_delivers(bundle, method, tmp_path):
    images = write_images(tmp_path / "images")
    weights = random_weights(bundle, tmp_path / "model.pt")
    output = tmp_path / "run"
    configs, places = adaptation(bundle, method, tmp_path)
    run(
        bundle,
        *configs,
        dataset_dir=str(images),
        output_dir=str(output),
        checkpoint=str(weights),
        epochs=1,
        batch_size=2,
        **places,
    )
    with (output / "history.csv").open(encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 1
    assert math.isfinite(float(rows[0]["loss"]))
    assert json.loads((output / "report.json").read_text())["method"]["name"] == method
    adapted = network_of(output / "bundle").state_dict()
    source = torch.load(weights, weights_only=True)
    assert any(name not in source or not torch.equal(adapted[name], source[name]) for name in adapted)
    assert all(tensor.isfinite().all() for tensor in adapted.values())
    assert not (output / "cache").exists()


@pytest.mark.parametrize("bundle", BUNDLES, ids=lambda path: path.name)
def test_the_parts_of_every_control_fit_each_other(bundle, tmp_path):
    places = {"dataset_dir": str(write_images(tmp_path / "images")), "output_dir": str(tmp_path / "run")}
    weights = str(random_weights(bundle, tmp_path / "model.pt"))
    controls = sorted((bundle / "configs" / "methods" / "controls").glob("*.json"))
    assert controls
    for control in controls:
        over = "cbmt" if control.stem.startswith(("cbmt", "shrinkage")) else "grad_cl"
        names = (f"methods/{over}.json", f"methods/controls/{control.name}")
        item = workflow(bundle, "adapt.json", *names, checkpoint=weights, **places)
        item.initialize()
        assert item.parser.get_parsed_content("train::trainer").adapted is not None


@pytest.mark.parametrize("bundle", BUNDLES, ids=lambda path: path.name)
def test_the_settings_of_the_report_name_the_rate_that_is_used(bundle, tmp_path):
    places = {"dataset_dir": str(write_images(tmp_path / "images")), "output_dir": str(tmp_path / "run")}
    weights = str(random_weights(bundle, tmp_path / "model.pt"))
    item = workflow(bundle, "adapt.json", checkpoint=weights, **places, **{"method::optimizer::lr": 1e-6})
    item.initialize()
    assert item.parser.get_parsed_content("settings")["learning_rate"] == 1e-6
