"""Inference, evaluation and source training of each bundle, on a few images."""

import csv
import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from bundle_support import BUNDLES, classes, random_weights, recipe_id, run, run_together, write_images
from monai.bundle import ConfigParser, load
from PIL import Image


@pytest.fixture(params=BUNDLES, ids=recipe_id)
def bundle(request):
    return request.param


@pytest.fixture
def weights(bundle, tmp_path):
    return str(random_weights(bundle, tmp_path / "model.pt"))


def test_inference_writes_a_mask_of_the_size_of_each_image_in_its_place(bundle, weights, tmp_path):
    images = write_images(tmp_path / "images" / "left")
    write_images(tmp_path / "images" / "right", 1, size=(50, 90))
    run(bundle, "inference.json", checkpoint=weights, dataset_dir=str(images.parent), output_dir=str(tmp_path / "out"))
    masks = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.png")}
    assert masks == {"left/case_0.png", "left/case_1.png", "left/case_2.png", "right/case_0.png"}
    assert Image.open(tmp_path / "out" / "right" / "case_0.png").size == (50, 90)
    ids = np.asarray(Image.open(tmp_path / "out" / "left" / "case_0.png"))
    assert ids.dtype == np.uint8
    assert set(np.unique(ids)) <= {0, 1, 2}


def test_a_truncated_image_is_listed_and_the_rest_goes_on(bundle, weights, tmp_path):
    images = write_images(tmp_path / "images")
    whole = (images / "case_0.png").read_bytes()
    (images / "broken.png").write_bytes(whole[: len(whole) // 2])
    run(bundle, "inference.json", checkpoint=weights, dataset_dir=str(images), output_dir=str(tmp_path / "out"))
    assert len(list((tmp_path / "out").glob("*.png"))) == 3
    with (tmp_path / "out" / "failures.csv").open(encoding="utf-8-sig") as file:
        assert [row["case"] for row in csv.DictReader(file)] == ["broken.png"]


@pytest.mark.parametrize("base", ["inference.json", "train.json"])
def test_evaluation_scores_every_case(bundle, weights, tmp_path, base):
    dataset = write_images(tmp_path / "data", classes=classes(bundle))
    output = tmp_path / "scores"
    run(bundle, base, "evaluate.json", checkpoint=weights, dataset_dir=str(dataset), output_dir=str(output))
    summary = json.loads((output / "summary.json").read_text())
    assert summary["cases"] == 3
    assert len((output / "cases.csv").read_text().splitlines()) == 4


def test_handlers_of_a_training_stand_where_monai_and_monai_label_look_for_their_targets(bundle):
    parser = ConfigParser()
    parser.read_config(str(bundle / "configs" / "train.json"))
    for place in ("train::handlers", "validate::handlers"):
        assert not [handler for handler in parser[place] if not (isinstance(handler, dict) and "_target_" in handler)]


def test_source_training_leaves_a_model_that_inference_takes(bundle, tmp_path):
    dataset = write_images(tmp_path / "data", 6, classes=classes(bundle))
    run(
        bundle,
        "train.json",
        dataset_dir=str(dataset),
        ckpt_dir=str(tmp_path),
        epochs=1,
        batch_size=2,
        val_interval=1,
        val_share=0.34,
    )
    run(
        bundle,
        "inference.json",
        checkpoint=str(tmp_path / "model.pt"),
        dataset_dir=str(dataset),
        output_dir=str(tmp_path / "out"),
    )
    assert len(list((tmp_path / "out").glob("*.png"))) == 6


def test_bundle_loads_from_any_folder(bundle, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    network = load(name=bundle.name, bundle_dir=str(bundle.parent), workflow_type="inference", source="github")
    assert isinstance(network, torch.nn.Module)


def test_a_mistyped_folder_ends_with_a_status_and_a_sentence(bundle, tmp_path):
    command = [sys.executable, "-W", "ignore", "-m", "monai.bundle", "run", "--config_file", "configs/inference.json"]
    process = subprocess.run(
        [*command, "--dataset_dir", str(tmp_path / "nowhere")], cwd=bundle, capture_output=True, text=True
    )
    assert process.returncode != 0
    assert "Expected a folder of images" in process.stderr


def test_a_checkpoint_of_another_network_names_the_first_differing_keys(bundle, tmp_path):
    torch.save({"stem.weight": torch.zeros(1)}, tmp_path / "other.pt")
    images = write_images(tmp_path / "images")
    with pytest.raises(RuntimeError) as error:
        run(bundle, "inference.json", checkpoint=str(tmp_path / "other.pt"), dataset_dir=str(images))
    cause = error.value
    while cause.__cause__ is not None:
        cause = cause.__cause__
    assert isinstance(cause, ValueError)
    assert "stem.weight" in str(cause)


def adapt_together(processes, bundle, method, **settings):
    files = ["adapt.json", f"methods/{method}.json"] + (["multi_gpu_adapt.json"] if processes > 1 else [])
    small = {"image_size": [64, 64], "precision": "float32", "batch_size": 2}
    run_together(processes, bundle, *files, run_id="adapt", **small, **settings)


@pytest.mark.usefixtures("fork")
def test_two_processes_adapt_together_and_deliver_once(weights, bundle, tmp_path):
    images, output = write_images(tmp_path / "images", 5), tmp_path / "run"
    places = {"checkpoint": weights, "dataset_dir": str(images), "output_dir": str(output)}
    adapt_together(2, bundle, "cbmt", epochs=2, **places)
    assert json.loads((output / "report.json").read_text())["data"]["images"] == 5
    assert len((output / "history.csv").read_text().splitlines()) == 3


@pytest.mark.usefixtures("fork")
@pytest.mark.parametrize("method", ["bn_stats", "tent"])
def test_two_processes_deliver_the_statistics_of_all_images(method, tmp_path):
    """At the first layer, whose input no other statistics reach, they are those of one process."""
    bundle = BUNDLES[-1]
    images = write_images(tmp_path / "images", 8)
    weights = random_weights(bundle, tmp_path / "model.pt")
    places = {"checkpoint": str(weights), "dataset_dir": str(images)}
    more = {"running_average": "cumulative"} if method == "bn_stats" else {"learning_rate": 0.0}
    means = []
    for processes in (1, 2):
        output = tmp_path / f"run_{processes}"
        adapt_together(processes, bundle, method, epochs=1, output_dir=str(output), **places, **more)
        state = torch.load(output / "bundle" / "models" / "model.pt", weights_only=True)
        means.append(next(value for name, value in state.items() if name.endswith("running_mean")))
    # sums of the same numbers in another order; the halves of the images alone differ by 2e-4
    assert torch.allclose(*means, atol=1e-5)
