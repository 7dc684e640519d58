"""What the recipes on batch statistics change in the bundle they deliver, and what not."""

import csv
import json

import pytest
import torch
from bundle_support import BUNDLES, random_weights, run, write_images

from monai_sfda.handlers import Resume

NUCLEI = next(bundle for bundle in BUNDLES if bundle.name == "nuclei_fluorescence")
STATISTICS = ("running_mean", "running_var", "num_batches_tracked")


@pytest.fixture
def adapt(tmp_path):
    images, weights = write_images(tmp_path / "images", 5), random_weights(NUCLEI, tmp_path / "model.pt")

    def deliver(method, folder="run", **overrides):
        output = tmp_path / method / folder
        settings = {"dataset_dir": str(images), "output_dir": str(output), "checkpoint": str(weights), "batch_size": 2}
        run(NUCLEI, "adapt.json", f"methods/{method}.json", **settings, **overrides)
        adapted = torch.load(output / "bundle" / "models" / "model.pt", weights_only=True)
        return output, torch.load(weights, weights_only=True), adapted

    return deliver


def kinds(source, adapted):
    """Names of the changed tensors, without the layer: norm layers are "N" in MONAI's U-Net."""
    changed = [name for name in source if not torch.equal(source[name], adapted[name])]
    return {".".join(name.split(".")[-2:]) for name in changed}


def test_bn_stats_changes_statistics_alone(adapt):
    _, source, adapted = adapt("bn_stats", epochs=2)
    assert kinds(source, adapted) == {f"N.{name}" for name in STATISTICS}


def test_tent_changes_scale_offset_and_statistics_alone(adapt):
    _, source, adapted = adapt("tent")
    assert kinds(source, adapted) == {"N.weight", "N.bias", *(f"N.{name}" for name in STATISTICS)}


def test_tent_without_a_rate_is_bn_stats_of_the_same_average(adapt):
    control = adapt("tent", learning_rate=0.0)[2]
    statistics = adapt("bn_stats", epochs=1, running_average="cumulative")[2]
    assert all(torch.equal(control[name], statistics[name]) for name in control)


def test_osuda_leaves_convolutions_alone_says_it_is_a_reconstruction_and_shows_its_schedules(adapt):
    output, source, adapted = adapt("osuda", epochs=3, learning_rate=0.01)
    assert kinds(source, adapted) == {"N.weight", "N.bias", *(f"N.{name}" for name in STATISTICS)}
    assert json.loads((output / "report.json").read_text())["method"]["reconstruction"] is True
    with (output / "history.csv").open(encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["source_share"]) for row in rows] == pytest.approx([0.9, 0.3311, 0.1218], abs=5e-5)
    # 2 steps an epoch, 6 in all: 10 at the first, 0 at the last, 10 * (1 - 1/5) at the end of the first epoch
    assert [float(row["entropy_weight"]) for row in rows] == pytest.approx([8.0, 4.0, 0.0])
    assert float(rows[0]["loss_consistency"]) < float(rows[-1]["loss_consistency"])


def test_osuda_continues_as_if_never_stopped(adapt, monkeypatch):
    whole = adapt("osuda", "whole", epochs=2, learning_rate=0.01)[2]
    save = Resume.save

    def save_and_stop(self, engine):
        save(self, engine)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Resume, "save", save_and_stop)
        with pytest.raises(KeyboardInterrupt):
            adapt("osuda", "stopped", epochs=2, learning_rate=0.01)
    continued = adapt("osuda", "stopped", epochs=2, learning_rate=0.01)[2]
    assert all(torch.equal(whole[name], continued[name]) for name in whole)
