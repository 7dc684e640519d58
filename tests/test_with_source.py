"""Methods that have the labelled source at hand: the command, what it refuses, and what its results say."""

import csv
import json
import shutil
import time

import numpy as np
import pytest
import torch
from bundle_support import ROOT, command, fails, network_of, random_weights, run, write_images, write_prototypes
from monai.bundle import ConfigParser
from PIL import Image

from monai_sfda import cli

NUCLEI, FUNDUS = ROOT / "bundles" / "nuclei_fluorescence", ROOT / "bundles" / "fundus_disc_cup"


@pytest.fixture
def images(tmp_path):
    return write_images(tmp_path / "images")


@pytest.fixture
def source(tmp_path):
    return write_images(tmp_path / "source", 4, classes=1)


@pytest.fixture
def small(tmp_path):
    """Options that make a run quick, with weights of no merit."""
    weights = random_weights(NUCLEI, tmp_path / "model.pt")
    quick = ["--image_size", "[64,64]", "--precision", "float32", "--batch_size", 2, "--discriminator_width", 4]
    return ["--checkpoint", weights, *quick]


def history(folder):
    with (folder / "history.csv").open(encoding="utf-8-sig") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def test_every_result_says_that_source_images_were_used(monkeypatch, capsys, images, source, small, tmp_path):
    output = tmp_path / "run"
    words = ["adapt", NUCLEI, images, "--method", "mpscl", "--source", source, "--output", output, *small]
    command(monkeypatch, *words, "--iterations", 3)
    report = json.loads((output / "report.json").read_text())
    assert report["method"]["uses_source"] is True
    assert report["settings"]["source_images"] == 4
    assert report["settings"]["iterations"] == 3
    assert report["settings"]["steps"] == 4  # two epochs of two
    assert report["settings"]["start"] == "source network"
    page = (output / "report.html").read_text()
    assert "Labelled images of the source were at hand: this was not source-free." in page
    assert "Labelled source images went into every step (4 images)" in page
    metadata = json.loads((output / "bundle" / "configs" / "metadata.json").read_text())
    assert metadata["adaptation"]["uses_source"] is True
    assert all("with labelled source images at hand" in metadata[key] for key in ("data_source",))
    assert "with labelled source images at hand" in (output / "bundle" / "docs" / "README.md").read_text()
    rows = history(output)
    assert [row["epoch"] for row in rows] == [1, 2]
    assert all(0 <= row["selected"] <= 1 and 0 <= row["gap_target"] <= 2 for row in rows)
    assert all(np.isfinite(list(row.values())).all() for row in rows)
    assert rows[0]["lr"] == pytest.approx(2.5e-4 * 0.5**0.9)
    network_of(output / "bundle")  # its weights are those of the bundle's own network, without the heads
    capsys.readouterr()
    command(monkeypatch, *words, "--iterations", 3)
    assert "already holds a finished adaptation" in capsys.readouterr().out
    other = write_images(tmp_path / "other", 4, classes=1)
    sentence = fails(monkeypatch, *[other if word is source else word for word in words], "--iterations", 3)
    assert "found other source; choose another --output" in sentence


def test_the_methods_are_marked(monkeypatch, capsys):
    command(monkeypatch, "methods", NUCLEI)
    printed = capsys.readouterr().out
    assert printed.count("learns from labelled source images too: --source LABELLED") == 4


def test_a_source_is_given_exactly_where_it_is_used(monkeypatch, images, source, tmp_path):
    words = ["adapt", NUCLEI, images, "--output", tmp_path / "run"]
    for typed in (["--method", "advent"], ["--methods", "bn_stats,beal"], ["--method", "mpscl", "--source"]):
        sentence = fails(monkeypatch, *words, *typed)
        assert "Expected --source LABELLED with" in sentence
        assert "which learns from labelled source images too, found none; give the folder with image and" in sentence
    for typed in (["--method", "cbmt"], ["--method", "mpscl_source_free"], ["--methods", "fast"]):
        sentence = fails(monkeypatch, *words, *typed, "--source", source)
        assert "Expected no --source with" in sentence
        assert "which learns from the unlabelled images alone, found" in sentence
    assert "Expected places as arguments" in fails(
        monkeypatch, *words, "--method", "advent", "--source", source, "--source_dir", source
    )


def test_a_source_without_masks_or_with_other_classes_is_refused_before_the_first_step(
    monkeypatch, images, source, small, tmp_path
):
    words = ["adapt", NUCLEI, images, "--method", "minent", "--output", tmp_path / "run", *small[:-2]]
    sentence = fails(monkeypatch, *words, "--source", images)
    assert "Expected the folders image and mask in" in sentence
    for path in (source / "mask").iterdir():
        Image.fromarray(7 * np.asarray(Image.open(path))).save(path)
    sentence = fails(monkeypatch, *words, "--source", source)
    assert "Expected at least 2 readable image(s), found 0 of 4" in sentence
    assert "found 0, 7" in sentence
    assert "Expected a folder" in fails(monkeypatch, *words, "--source", tmp_path / "nowhere")


@pytest.mark.parametrize("method", ["mpscl", "advent"])
def test_a_class_that_no_source_image_shows_is_named_before_the_first_step(
    method, monkeypatch, images, source, small, tmp_path
):
    for path in (source / "mask").iterdir():
        Image.fromarray(0 * np.asarray(Image.open(path))).save(path)
    words = ["adapt", NUCLEI, images, "--method", method, "--output", tmp_path / "run", *small]
    sentence = fails(monkeypatch, *words, "--source", source)
    assert "Expected every class in the labelled source images, found none of nucleus" in sentence
    assert not (tmp_path / "run" / "history.csv").exists()


def test_prototypes_of_another_network_are_refused(monkeypatch, images, small, tmp_path):
    words = ["adapt", NUCLEI, images, "--method", "mpscl_source_free", "--output", tmp_path / "run", *small[:-2]]
    assert "Expected the prototypes of the source at" in fails(monkeypatch, *words)
    other = tmp_path / "other"
    other.mkdir()
    write_prototypes(NUCLEI, random_weights(FUNDUS, other / "model.pt"))
    shutil.copy(other / "prototypes.pt", tmp_path)
    sentence = fails(monkeypatch, *words)
    assert "Expected prototypes of the network that adapts in" in sentence
    assert "found some of other weights; make it with the labelled source images" in sentence


def test_recipes_of_one_engine_are_told_to_use_the_other(images, source, tmp_path):
    places = {"dataset_dir": str(images), "output_dir": str(tmp_path / "run"), "epochs": 1, "batch_size": 2}
    places["checkpoint"] = str(random_weights(NUCLEI, tmp_path / "model.pt"))
    for configs, more, expected in (
        (["adapt.json", "methods/advent.json"], {}, "Expected configs/adapt_with_source.json for a method that uses"),
        (
            ["adapt_with_source.json", "methods/cbmt.json"],
            {"source_dir": str(source), "iterations": None},
            "Expected a method that uses labelled source images, found cbmt, which needs none",
        ),
    ):
        with pytest.raises(RuntimeError) as error:
            run(NUCLEI, *configs, **places, **more)
        cause = error.value
        while cause.__cause__ is not None:
            cause = cause.__cause__
        assert expected in str(cause)


def test_mpscl_begins_with_what_advent_has_learnt(monkeypatch, images, source, small, tmp_path):
    words = ["adapt", NUCLEI, images, "--source", source, "--epochs", 1, *small]
    command(monkeypatch, *words, "--method", "advent", "--output", tmp_path / "advent")
    checkpoint = tmp_path / "advent" / "checkpoints" / "latest.pt"
    still = ["--learning_rate", 0.0, "--discriminator_learning_rate", 0.0, "--method", "mpscl"]
    command(monkeypatch, *words, *still, "--warm_start", checkpoint, "--output", tmp_path / "mpscl")
    before = torch.load(checkpoint, weights_only=True)
    after = torch.load(tmp_path / "mpscl" / "checkpoints" / "latest.pt", weights_only=True)
    for name in ("adversary_main", "adversary_auxiliary", "auxiliary"):
        assert all(torch.equal(before[name][key], after[name][key]) for key in before[name])
    moved = {key for key in before["network"] if not torch.equal(before["network"][key], after["network"][key])}
    assert moved
    assert all(key.endswith(("running_mean", "running_var", "num_batches_tracked")) for key in moved)
    assert json.loads((tmp_path / "mpscl" / "report.json").read_text())["settings"]["start"].startswith("checkpoint ")


def test_a_killed_run_ends_with_the_weights_of_an_undisturbed_one(fork, images, source, small, tmp_path):
    """With everything that MPSCL keeps: two heads, prototypes, two discriminators, three schedules."""

    def start(name):
        size = {"epochs": 4, "batch_size": 2, "image_size": [64, 64], "discriminator_width": 4, "precision": "float32"}
        places = {"source": str(source), "output": str(tmp_path / name), "checkpoint": str(small[1])}
        process = fork(target=cli.adapt, args=(str(NUCLEI), str(images)), kwargs={"method": "mpscl", **places, **size})
        process.start()
        return process

    def finish(process):
        process.join(600)
        return process.exitcode

    assert finish(start("undisturbed")) == 0
    victim = start("killed")
    checkpoint = tmp_path / "killed" / "checkpoints" / "latest.pt"
    while not checkpoint.exists():
        assert victim.is_alive()
        time.sleep(0.01)
    victim.kill()
    victim.join()
    assert not (tmp_path / "killed" / "report.json").exists()  # else it was not killed in the middle
    assert finish(start("killed")) == 0
    weights = [tmp_path / name / "bundle" / "models" / "model.pt" for name in ("undisturbed", "killed")]
    one, other = (torch.load(path, weights_only=True) for path in weights)
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert (tmp_path / "killed" / "history.csv").read_text() == (tmp_path / "undisturbed" / "history.csv").read_text()


@pytest.mark.parametrize("epochs", [1, 2, 3, 5, 20, 200])
def test_the_rate_of_beal_falls_once_after_half_of_the_epochs(epochs):
    recipe = json.loads((FUNDUS / "configs" / "methods" / "beal.json").read_text())["method"]
    parser = ConfigParser({"half": recipe["learning_rate_step"].replace("@streams.epochs", str(epochs))})
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=recipe["settings"]["learning_rate"])
    schedule = torch.optim.lr_scheduler.StepLR(
        optimizer, parser.get_parsed_content("half"), recipe["settings"]["learning_rate_decay"]
    )
    rates = []
    for _ in range(epochs):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    half = -(-epochs // 2)
    assert rates == pytest.approx([1e-3] * half + [2e-4] * (epochs - half))
