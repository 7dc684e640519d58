"""The methods of scripts/benchmarks: every recipe, overlay and setting that they name is one of every bundle."""

import json

import pytest
from bundle_support import BUNDLES, ROOT, random_weights, recipe_id, workflow, write_images
from monai.bundle import ConfigParser

from monai_sfda.benchmark import read_matrix
from monai_sfda.overrides import check_overrides, placed
from monai_sfda.pseudo import ClassThreshold, Threshold

FILES = sorted((ROOT / "scripts" / "benchmarks").glob("*.json"))


@pytest.mark.parametrize("bundle", BUNDLES, ids=recipe_id)
@pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)
def test_a_file_names_what_the_bundles_have(file, bundle, tmp_path):
    pairs = tmp_path / "pairs.json"
    pairs.write_text(json.dumps({"pairs": {"a": {"bundle": str(bundle), "target": str(tmp_path)}}}))
    for method in read_matrix([pairs, file]).methods:
        parser = ConfigParser()
        names = ["adapt.json", *(f"methods/{name}.json" for name in method.configs)]
        parser.read_config([str(bundle / "configs" / name) for name in names])
        check_overrides(parser.get(), placed(parser.get(), method.settings))


@pytest.mark.parametrize(
    ("control", "coarse", "rate", "weigh"),
    [
        ("no class thresholds, 0.75", Threshold, None, True),
        ("no correction", ClassThreshold, 0.0, True),
        ("correction at a fixed rate", ClassThreshold, 0.8, True),
        ("no weights", ClassThreshold, None, False),
        ("ud4r (reconstruction)", ClassThreshold, None, True),
    ],
)
def test_a_control_of_ud4r_lacks_the_part_that_its_name_says(control, coarse, rate, weigh, tmp_path):
    methods = json.loads((ROOT / "scripts" / "benchmarks" / "ud4r_controls.json").read_text())["methods"]
    settings = next(method.get("settings", {}) for method in methods if method["name"] == control)
    bundle = BUNDLES[0]
    places = {"dataset_dir": str(write_images(tmp_path / "images")), "output_dir": str(tmp_path / "run")}
    weights = str(random_weights(bundle, tmp_path / "model.pt"))
    item = workflow(bundle, "adapt.json", "methods/ud4r.json", checkpoint=weights, **places, **settings)
    item.initialize()
    first, second = item.parser.get_parsed_content("method::labeller").refiners
    assert type(first) is coarse
    assert (second.rate, second.weigh) == (rate, weigh)
