"""Every recipe adapts a network of volumes, and one of the slices of volumes, to unlabelled volumes."""

import csv
import json
import math

import pytest
import torch
from bundle_support import (
    VOLUME_SIZES,
    command,
    network_of,
    random_weights,
    run,
    size_of,
    untrained_helpers,
    volume_bundle,
    workflow,
    write_volumes,
)

from monai_sfda.json_file import read_json
from monai_sfda.template.write import CONFIGS

RECIPES = sorted(path.stem for path in (CONFIGS / "methods").glob("*.json"))
WITH_SOURCE = ["advent", "beal", "minent", "mpscl"]
CONTROLS = sorted(path.name for path in (CONFIGS / "methods" / "controls").glob("*.json"))


@pytest.fixture(scope="module", params=VOLUME_SIZES)
def bundle(request, tmp_path_factory):
    return volume_bundle(tmp_path_factory.mktemp(request.param) / "bundle", request.param)


@pytest.fixture(scope="module")
def volumes(tmp_path_factory):
    return write_volumes(tmp_path_factory.mktemp("volumes"), shape=(14, 16, 6))


@pytest.mark.parametrize("method", [name for name in RECIPES if name not in WITH_SOURCE])
def test_recipe_runs_and_delivers(bundle, volumes, method, tmp_path):
    size = size_of(bundle)
    weights = random_weights(bundle, tmp_path / "model.pt")
    output = tmp_path / "run"
    small = {"method::parts::denoiser_def::size": [32] * len(size)} if method == "dae" else {}
    run(
        bundle, "adapt.json", f"methods/{method}.json", dataset_dir=str(volumes), output_dir=str(output), epochs=2,
        checkpoint=str(weights), batch_size=2, image_size=size, **untrained_helpers(bundle, method, tmp_path), **small,
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
    size = size_of(bundle)
    places = {"dataset_dir": str(volumes), "output_dir": str(tmp_path / "run"), "image_size": size}
    weights = str(random_weights(bundle, tmp_path / "model.pt"))
    for control in CONTROLS:
        over = "cbmt" if control.startswith(("cbmt", "shrinkage")) else "grad_cl"
        item = workflow(
            bundle, "adapt.json", f"methods/{over}.json", f"methods/controls/{control}", checkpoint=weights, **places
        )
        item.initialize()
        assert item.parser.get_parsed_content("train::trainer").adapted is not None


@pytest.mark.parametrize("method", ["beal", "mpscl"])
def test_methods_with_the_source_run_and_deliver(bundle, method, tmp_path):
    size = [32] * len(size_of(bundle))  # discriminators halve it five times
    if method == "beal" and len(size) == 3:
        pytest.skip("boundaries are made of slices")
    folders = write_volumes(tmp_path / "volumes"), write_volumes(tmp_path / "source", 2, classes=2)
    weights = random_weights(bundle, tmp_path / "model.pt")
    run(
        bundle, "adapt_with_source.json", f"methods/{method}.json", dataset_dir=str(folders[0]),
        source_dir=str(folders[1]), output_dir=str(tmp_path / "run"), checkpoint=str(weights), batch_size=2,
        image_size=size, iterations=2, discriminator_width=2,
    )  # fmt: skip
    report = json.loads((tmp_path / "run" / "report.json").read_text())
    assert report["settings"]["source_sampled"] == ("2 windows" if len(size) == 3 else "12 slices") + " of 2 volumes"
    adapted, source = network_of(tmp_path / "run" / "bundle").state_dict(), torch.load(weights, weights_only=True)
    assert any(not torch.equal(adapted[name], source[name]) for name in adapted)
    assert all(tensor.isfinite().all() for tensor in adapted.values())


def test_the_command_adapts_to_volumes(bundle, volumes, tmp_path, monkeypatch):
    weights = random_weights(bundle, tmp_path / "model.pt")
    command(
        monkeypatch, "adapt", bundle, volumes, "--output", tmp_path / "run", "--method", "bn_stats", "--batch_size", 2,
        "--checkpoint", weights,
    )  # fmt: skip
    assert (tmp_path / "run" / "bundle" / "models" / "model.pt").is_file()


@pytest.mark.parametrize("kept", [True, None])
def test_the_comparison_keeps_the_piece_that_masks_keep(bundle, kept):
    for config in ("inference.json", "adapt.json", "adapt_with_source.json"):
        assert "largest_piece" in read_json(bundle / "configs" / config)
    item = workflow(bundle, "adapt.json", largest_piece=kept)
    assert item.parser.get_parsed_content("deliver::comparison::largest_piece") is bool(kept)
