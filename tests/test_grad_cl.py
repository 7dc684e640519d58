"""Grad-CL (reconstruction) as its recipe assembles it: controls, rounds, identities with DPL."""

import pytest
import torch
from bundle_support import BUNDLES, random_weights, recipe_id, run, workflow, write_images

from monai_sfda.pseudo import FixedWeights, GradCam, MonteCarlo, RandomWeights

CONTROLS = ["early_layer", "no_disalignment", "plain_features", "random_weights", "static_weights"]


@pytest.fixture
def places(tmp_path):
    def places(bundle):
        weights = random_weights(bundle, tmp_path / "model.pt")
        images = write_images(tmp_path / "images")
        return {
            "dataset_dir": str(images),
            "output_dir": str(tmp_path / "run"),
            "checkpoint": str(weights),
            "batch_size": 2,
            "passes": 2,
            "cutoff": 0.5,
        }

    return places


def configs(*controls):
    return ["adapt.json", "methods/grad_cl.json", *[f"methods/controls/grad_cl_{name}.json" for name in controls]]


def trained(bundle, *names, **overrides):
    item = workflow(bundle, *names, **overrides)
    item.initialize()
    item.parser.get_parsed_content("train::trainer").run()
    return item.parser


def state(parser):
    return torch.cat(
        [tensor.double().flatten() for tensor in parser.get_parsed_content("network").state_dict().values()]
    )


def test_the_controls_are_those_of_every_bundle():
    for bundle in BUNDLES:
        found = (bundle / "configs" / "methods" / "controls").glob("grad_cl_*.json")
        assert sorted(path.stem.removeprefix("grad_cl_") for path in found) == CONTROLS


@pytest.mark.parametrize("bundle", BUNDLES, ids=recipe_id)
@pytest.mark.parametrize("control", CONTROLS)
def test_a_control_trains_under_its_own_name(bundle, control, places):
    parser = trained(bundle, *configs(control), epochs=1, **places(bundle))
    assert parser.get_parsed_content("settings")["method"] == f"grad_cl_{control}"
    weighting = parser.get_parsed_content("method::parts::guided").weighting
    kinds = {"static_weights": FixedWeights, "random_weights": RandomWeights}
    assert isinstance(weighting, kinds.get(control, GradCam))
    assert isinstance(parser.get_parsed_content("method::parts::label").observe, MonteCarlo) == (
        control == "plain_features"
    )
    assert state(parser).isfinite().all()


@pytest.mark.parametrize("bundle", BUNDLES, ids=recipe_id)
def test_without_guidance_and_disalignment_it_is_dpl_to_the_bit(bundle, places):
    same = {"epochs": 1, **places(bundle)}
    dpl = trained(bundle, "adapt.json", "methods/dpl.json", **same)
    same["output_dir"] += "_grad_cl"
    grad_cl = trained(bundle, *configs("plain_features", "no_disalignment"), **same)
    assert torch.equal(state(grad_cl), state(dpl))


def test_with_rounds_the_copies_follow_the_student(places):
    bundle = BUNDLES[0]
    item = run(bundle, *configs(), epochs=2, refresh_every=1, **places(bundle))
    student, source = (item.parser.get_parsed_content(name).state_dict() for name in ("network", "source_network"))
    copy = item.parser.get_parsed_content("method::parts::guided").network.state_dict()
    # The copies are the student as it was after the first epoch: neither the source nor what it became.
    for other in (student, source):
        assert any(not torch.equal(copy[name].cpu(), other[name].cpu()) for name in copy)
