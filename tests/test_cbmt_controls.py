"""CBMT's ablation and view table as overlays: each leaves out what its name says."""

import pytest
from bundle_support import BUNDLES, random_weights, recipe_id, workflow, write_images

from monai_sfda.pseudo import BalanceBackground, WeighBackground

STRONG = ["ImpulseNoise", "Gamma", "Erase"]
CONTROLS = {  # weak view, strong view, refiners after the threshold
    "constant_weight": ([], STRONG, WeighBackground),
    "labels_alone": ([], [], None),
    "no_balance": ([], STRONG, None),
    "no_strong": ([], [], BalanceBackground),
    "strong_strong": (STRONG, STRONG, BalanceBackground),
    "strong_weak": (STRONG, [], BalanceBackground),
    "teacher_alone": ([], [], None),
}


def test_the_controls_are_those_of_every_bundle():
    for bundle in BUNDLES:
        found = (bundle / "configs" / "methods" / "controls").glob("cbmt_*.json")
        assert sorted(path.stem.removeprefix("cbmt_") for path in found) == sorted(CONTROLS)


@pytest.mark.parametrize("bundle", BUNDLES, ids=recipe_id)
@pytest.mark.parametrize("control", CONTROLS)
def test_a_control_trains_with_the_parts_that_its_name_says(bundle, control, tmp_path):
    item = workflow(
        bundle,
        "adapt.json",
        "methods/cbmt.json",
        f"methods/controls/cbmt_{control}.json",
        dataset_dir=str(write_images(tmp_path / "images")),
        output_dir=str(tmp_path / "run"),
        checkpoint=str(random_weights(bundle, tmp_path / "model.pt")),
        cutoff=0.5,
        epochs=1,
    )
    item.initialize()
    parser = item.parser
    parser.get_parsed_content("train::trainer").run()
    assert parser.get_parsed_content("settings")["method"] == f"cbmt_{control}"
    weak, strong, kind = CONTROLS[control]
    views = parser.get_parsed_content("method::views")
    assert [[type(part).__name__ for part in parts] for parts in (views.weak, views.strong)] == [weak, strong]
    assert not parser.get_parsed_content("deliver::comparison").views.weak
    labeller = parser.get_parsed_content("method::labeller")
    assert [type(refiner) for refiner in labeller.refiners[1:]] == ([kind] if kind else [])
    student = parser.get_parsed_content("network")
    assert (labeller.observe.network is student) == (control == "labels_alone")
    assert (parser.get_parsed_content("method::adapted") is student) == (control == "labels_alone")
