"""Fine-tuning on the outlines competes, cross-fitted, with what was adapted."""

import json
import shutil
import sys

import numpy as np
import pytest
import torch
from bundle_support import command, fails, random_weights
from candidate_support import FUNDUS, make_run, outline

from monai_sfda.candidates.cheap import mixed_networks
from monai_sfda.candidates.fine_tune import label_map
from monai_sfda.candidates.run import find_candidates, find_source, record_source
from monai_sfda.candidates.structures import read_structures
from monai_sfda.networks import read_weights
from monai_sfda.passport import read_passport, write_passport
from monai_sfda.tables import write_csv


def test_a_label_map_is_made_of_its_channels():
    structures = read_structures(FUNDUS)
    ids = np.array([[0, 1, 2, 1]], np.uint8)
    channels = np.stack([np.isin(ids, own) for own in structures.ids])
    assert np.array_equal(label_map(channels, structures), ids)


@pytest.fixture
def run(tmp_path):
    """The masks of the source and of dpl miss what is there; the source network has not learned anything yet."""
    run = make_run(tmp_path, {"source": (30,), "dpl": (29,)}, count=8)
    source = tmp_path / "bundle"
    for path in tmp_path.rglob("bundle/configs/*.json"):
        config = json.loads(path.read_text())
        if "network_def" in config:
            config["network_def"] = {**config["network_def"], "features": [4, 4, 8, 8, 8, 4]}
            path.write_text(json.dumps(config))
    random_weights(source, source / "models" / "model.pt")
    (run / "choice.json").unlink()
    options = {"image_size": [64, 64], "precision": "float32"}
    record_source(run, bundle=source, images=tmp_path / "data" / "image", overrides=options)
    networks = [find_source(run), *find_candidates(run)[0]]
    for one in [*networks, *mixed_networks(networks[0], networks[1:])]:
        (run / "choice" / "masks" / one.name / "made_of.json").write_text(json.dumps(one.made_of()))
    return run


def test_no_outline_trains_and_judges(monkeypatch, capsys, tmp_path, run):
    command(monkeypatch, "choose", run)
    words = ["--outlines", outline(run, 8, tmp_path / "outlines"), "--fine_tune", 1]
    command(monkeypatch, "choose", run, *words)
    printed = capsys.readouterr().out
    assert "Fine-tuning on 6 of 8 outlines: 4 of 4" in printed
    row = json.loads((run / "choice.json").read_text())["measured"]["gains"]["nucleus"]
    assert row["fine-tuned"]["low"] < row["fine-tuned"]["dice"]  # though no image is left, unlike with dpl
    assert row["dpl"]["low"] == pytest.approx(row["dpl"]["dice"])
    for number in range(4):
        home = run / "choice" / "fine_tuned" / f"fold_{number}"
        learned = {name for name in json.loads((home / "made_of.json").read_text())["files"] if "/image/" in name}
        held = {path.name for path in (home / "held" / "image").iterdir()}
        assert not held & {name.rpartition("/")[2] for name in learned}
        assert len(held) + len(learned) == 8
    made = sorted((run / "choice" / "fine_tuned").glob("*/models/*.pt"))
    made += sorted((run / "choice" / "fine_tuned").glob("fold_*/held/masks/*.png"))
    assert len(made) >= 4 + 8
    written = [path.stat().st_mtime_ns for path in made]
    command(monkeypatch, "choose", run, *words)
    assert [path.stat().st_mtime_ns for path in made] == written


def test_the_winner_has_learned_from_all_outlines(monkeypatch, capsys, tmp_path, run):
    """Every training ends with other weights, whose masks are right."""
    module = sys.modules["monai_sfda.candidates.fine_tune"]
    trained = []

    def configs(bundle, names, *, dataset_dir, **values):
        if names == ["train.json"]:
            state = torch.load(values["checkpoint"], weights_only=True)
            values["ckpt_dir"].mkdir()
            weights = values["ckpt_dir"] / "model.pt"
            torch.save({name: value + value.is_floating_point() for name, value in state.items()}, weights)
            write_passport(weights, cutoff={"nucleus": 0.3})
            trained.append((values["epochs"], len(list((dataset_dir / "mask").iterdir()))))
        else:
            folder, images = values["results_dir"], sorted(dataset_dir.iterdir())
            (folder / "masks").mkdir()
            for image in images:
                shutil.copy(tmp_path / "data" / "mask" / image.name.partition("_")[2], folder / "masks" / image.name)
            write_csv(folder / "results.csv", ["file", "mask"], [{"file": p.name, "mask": p.name} for p in images])

    command(monkeypatch, "choose", run)
    monkeypatch.setattr(module, "run_configs", configs)
    command(monkeypatch, "choose", run, "--outlines", outline(run, 8, tmp_path / "outlines"), "--fine_tune", 7)
    assert trained == [(7, 6)] * 4 + [(7, 8)]
    assert "Verdict  Adopt fine-tuned: the nucleus gained" in capsys.readouterr().out
    chosen = run / "chosen"
    metadata = json.loads((chosen / "configs" / "metadata.json").read_text())
    assert "adapted with fine-tuned to 8 outlined images" in metadata["data_source"]
    assert "fine-tuned" in metadata["adaptation"]["choice"]["made_of"]
    assert read_passport(chosen / "models" / "model.pt")["cutoff"] == {"nucleus": 0.3}
    before = read_weights(tmp_path / "bundle" / "models" / "model.pt")
    after = read_weights(chosen / "models" / "model.pt")
    assert all(torch.equal(after[name], value + value.is_floating_point()) for name, value in before.items())


def test_few_outlines_leave_it_out_and_the_others_are_judged(monkeypatch, capsys, tmp_path, run):
    command(monkeypatch, "choose", run)
    command(monkeypatch, "choose", run, "--outlines", outline(run, 5, tmp_path / "outlines"), "--fine_tune", 1)
    printed = capsys.readouterr().out
    assert "Note     fine-tuned is left out: it takes 6 outlines, and 5 count." in printed
    assert "dpl" in printed
    assert "Expected --fine_tune EPOCHS with --outlines" in fails(monkeypatch, "choose", run, "--fine_tune", 3)


def test_one_outline_more_may_leave_a_training_as_it_was(monkeypatch, capsys, tmp_path, run):
    """Eight count of eight and of nine."""
    command(monkeypatch, "choose", run)
    for count in (8, 9):
        words = ["--outlines", outline(run, count, tmp_path / f"{count}"), "--fine_tune", 1]
        command(monkeypatch, "choose", run, *words)
        assert "fine-tuned " in capsys.readouterr().out
        assert "fine-tuned" in json.loads((run / "choice.json").read_text())["measured"]["gains"]["nucleus"]


def test_a_training_that_fails_is_left_out(monkeypatch, capsys, tmp_path, run):
    command(monkeypatch, "choose", run)

    def fail(*_, **__):
        raise OSError("no space left")

    monkeypatch.setattr(sys.modules["monai_sfda.candidates.fine_tune"], "run_configs", fail)
    command(monkeypatch, "choose", run, "--outlines", outline(run, 8, tmp_path / "outlines"), "--fine_tune", 1)
    printed = capsys.readouterr().out
    assert "Note     fine-tuned is left out: no space left" in printed
    assert "Verdict" in printed
