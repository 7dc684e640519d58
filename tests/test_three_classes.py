"""Every recipe on a softmax network of three classes: what holds for two may lean on there being two."""

import json

import pytest
import torch
from bundle_support import ROOT, run, uses_source, write_images
from monai.bundle import ConfigParser

BUNDLE = ROOT / "bundles" / "nuclei_fluorescence"
ELSEWHERE = ("mpscl_source_free",)  # with prototypes of three classes in test_volume_recipes, as those with the source
RECIPES = sorted(path.stem for path in (BUNDLE / "configs" / "methods").glob("*.json"))
METHODS = [name for name in RECIPES if name not in ELSEWHERE and not uses_source(BUNDLE, name)]
CHANGES = {"structures": {"disc": 1, "cup": 2}, "network_def::out_channels": 3}
OF_METHOD = {
    "adami": {"method::criterion::criteria::entropy::class_weight": [0.1, 0.3, 0.6]},
    "adaent": {"method::criterion::criteria::entropy::class_weight": [0.1, 0.3, 0.6]},
}


def untrained(folder):
    """Weights of networks as the changed configs define them."""
    parser = ConfigParser()
    parser.read_config([str(BUNDLE / "configs" / name) for name in ("adapt.json", "methods/dae.json")])
    parser.update(CHANGES)
    for name in ("network_def", "method::parts::denoiser_def"):
        torch.save(parser.get_parsed_content(name).state_dict(), folder / f"{name.split('::')[-1]}.pt")


@pytest.mark.parametrize("method", METHODS)
def test_a_recipe_adapts_a_network_of_three_classes(method, tmp_path):
    torch.manual_seed(0)
    untrained(tmp_path)
    (tmp_path / "ratios.json").write_text(json.dumps({"ratios": {"background": 0.6, "disc": 0.3, "cup": 0.1}}))
    own = {"dae": {"denoiser_checkpoint": str(tmp_path / "denoiser_def.pt")}}
    own |= {name: {"source_ratios": str(tmp_path / "ratios.json")} for name in ("adami", "adaent")}
    run(
        BUNDLE,
        "adapt.json",
        f"methods/{method}.json",
        dataset_dir=str(write_images(tmp_path / "images")),
        output_dir=str(tmp_path / "run"),
        checkpoint=str(tmp_path / "network_def.pt"),
        epochs=1,
        batch_size=2,
        **CHANGES | OF_METHOD.get(method, {}),
        **own.get(method, {}),
    )
    report = json.loads((tmp_path / "run" / "report.json").read_text())
    assert report["structures"] == ["disc", "cup"]
    shares = {"background": 0.6, "disc": 0.3, "cup": 0.1} if "source_ratios" in own.get(method, {}) else None
    assert report["source_masks"].get("shares") == shares  # the bundle's file is of other weights than these
    assert report["change"]["cup"]["area_masks"] == (0.1 if shares else None)
    weights = torch.load(tmp_path / "run" / "bundle" / "models" / "model.pt", weights_only=True)
    assert all(tensor.isfinite().all() for tensor in weights.values())
