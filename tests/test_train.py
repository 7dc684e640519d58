"""monai-sfda train: what it prints, what it leaves, what it refuses, and what is left when it is stopped."""

import json
import os
import signal

import pytest
from bundle_support import ROOT, command, fails, random_weights, write_images

from monai_sfda.passport import read_passport
from monai_sfda.tables import read_csv

NUCLEI = ROOT / "bundles" / "nuclei_fluorescence"
SMALL = ("--image_size", "[64,64]", "--precision", "float32", "--batch_size", "2")
LEFT = {"model.pt", "passport.json", "prototypes.pt", "source_ratios.json", "training.csv", "training.png"}


@pytest.fixture
def labelled(tmp_path):
    return write_images(tmp_path / "labelled", 4, classes=1)


@pytest.fixture
def bundle(monkeypatch, tmp_path):
    command(monkeypatch, "new", tmp_path / "discs", "--from", NUCLEI, "--structures", "disc")
    return tmp_path / "discs"


def lines_of(printed, structure):
    return [line.split() for line in printed.splitlines() if line.startswith(f"{structure} ")]


def test_a_training_says_how_it_goes_and_leaves_all_that_adaptation_reads(
    bundle, labelled, monkeypatch, capsys, tmp_path
):
    capsys.readouterr()
    command(monkeypatch, "train", bundle, labelled, "--epochs", 2, *SMALL)
    printed = capsys.readouterr().out
    rows = read_csv(bundle / "models" / "training.csv")
    assert [(row["epoch"], row["cutoff"]) for row in rows] == [("1", "0.5"), ("2", "0.5")]
    assert printed.count("held-out Dice % at 0.5: disc") == 2
    facts = read_passport(bundle / "models" / "model.pt")
    score = 100 * facts["dice_by_cutoff"]["disc"][f"{facts['cutoff']['disc']:g}"]
    assert lines_of(printed, "disc") == [["disc", f"{score:.1f}", f"{facts['cutoff']['disc']:.2f}"]]
    assert f"monai-sfda adapt    {bundle} IMAGES" in printed
    assert {path.name for path in (bundle / "models").iterdir()} == LEFT
    ratios = json.loads((bundle / "models" / "source_ratios.json").read_text())
    assert ratios["channels"] == {"background": [0], "disc": [1]}
    assert ratios["images"] == 4
    assert ratios["spread"]["disc"] < 0.01
    # discs of radius 20 in 70 x 64 pixels
    assert ratios["ratios"]["disc"] == pytest.approx(3.14159 * 20**2 / (70 * 64), abs=0.01)

    words = ["--output", tmp_path / "run", "--method", "adami", "--epochs", 1, *SMALL]
    command(monkeypatch, "adapt", bundle, labelled / "image", *words)
    adapted = {path.name for path in (tmp_path / "run" / "bundle" / "models").iterdir()}
    assert adapted == {"model.pt", "passport.json", "source_ratios.json"}


def test_weights_are_replaced_only_if_asked(bundle, labelled, monkeypatch, tmp_path):
    weights = bundle / "models" / "model.pt"
    weights.parent.mkdir()
    weights.write_bytes(b"mine")
    words = ["train", bundle, labelled, "--epochs", 1, *SMALL]
    assert "add --overwrite to replace them" in fails(monkeypatch, *words)
    assert [path.name for path in weights.parent.iterdir()] == ["model.pt"]
    command(monkeypatch, *words, "--ckpt_dir", tmp_path / "other")
    assert {path.name for path in (tmp_path / "other").iterdir()} == LEFT
    assert weights.read_bytes() == b"mine"
    command(monkeypatch, *words, "--overwrite")
    assert read_passport(weights)


@pytest.fixture(autouse=True)
def interrupted_as_by_a_person():
    """A test of several processes leaves the handler of torch.distributed behind."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupt_at(monkeypatch, line):
    """Ctrl-C as soon as a line that ends so is printed."""
    from monai_sfda.handlers import training_history

    def write(text):
        print(text)
        if text.endswith(line):
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(training_history.tqdm, "write", write)


def test_a_training_that_is_stopped_leaves_its_best_epoch_ready_for_use(bundle, labelled, monkeypatch, capsys):
    interrupt_at(monkeypatch, "best so far")
    with pytest.raises(SystemExit) as stop:
        command(monkeypatch, "train", bundle, labelled, "--epochs", 50, *SMALL)
    assert "stopped early" in str(stop.value.code)
    assert len(read_csv(bundle / "models" / "training.csv")) == 1
    assert {path.name for path in (bundle / "models").iterdir()} == LEFT
    assert read_passport(bundle / "models" / "model.pt")["cutoff"]
    assert "Next     monai-sfda evaluate" in capsys.readouterr().out


def test_a_training_that_is_stopped_before_it_was_scored_says_so(bundle, labelled, monkeypatch):
    from monai_sfda.handlers import TrainingHistory

    monkeypatch.setattr(TrainingHistory, "update", lambda *_: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(SystemExit) as stop:
        command(monkeypatch, "train", bundle, labelled, "--epochs", 2, *SMALL)
    assert "no weights were written" in str(stop.value.code)
    assert not list((bundle / "models").iterdir())


@pytest.mark.parametrize("run_id", ["train", "run"])
def test_the_section_train_runs_the_training_and_calibrate_says_its_result_again(
    run_id, bundle, labelled, monkeypatch, capsys
):
    from monai.bundle import run

    monkeypatch.chdir(bundle)
    values = {"image_size": [64, 64], "precision": "float32", "epochs": 1, "batch_size": 2}
    run(run_id, config_file="configs/train.json", dataset_dir=str(labelled), **values)
    assert {"model.pt", "passport.json", "prototypes.pt", "training.csv"} == {
        path.name for path in (bundle / "models").iterdir()
    }
    said = capsys.readouterr().out
    run("calibrate", config_file="configs/train.json", dataset_dir=str(labelled), **values)
    assert lines_of(said, "disc") == lines_of(capsys.readouterr().out, "disc") != []


def test_a_bundle_that_was_trained_elsewhere_gets_its_passport(bundle, labelled, monkeypatch, capsys):
    weights = bundle / "models" / "model.pt"
    assert "Expected the weights of the network" in fails(monkeypatch, "passport", bundle, labelled)
    weights.parent.mkdir(exist_ok=True)
    random_weights(bundle, weights)
    before = weights.read_bytes()
    capsys.readouterr()
    command(monkeypatch, "passport", bundle, labelled, *SMALL)
    assert "(4 images that were held out)" in capsys.readouterr().out
    written = {path.name for path in weights.parent.iterdir()}
    assert written == {"model.pt", "passport.json", "prototypes.pt", "source_ratios.json"}
    assert read_passport(weights)["images"] == 4
    assert weights.read_bytes() == before
    assert "add --overwrite to measure them again" in fails(monkeypatch, "passport", bundle, labelled)
