"""The first command of the README: the images that it brings along, and what it tells of the networks."""

import hashlib
import json
import runpy
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from monai_sfda import cli
from monai_sfda.tables import write_csv

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "examples" / "nuclei_fluo_360"
PARTS = ("demo_fundus", "demo_nuclei", "demo_scores")


@pytest.fixture
def demo(monkeypatch):
    """The scripts without their virtual environment."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    monkeypatch.setitem(sys.modules, "environment", SimpleNamespace(enter=lambda extras: None, ROOT=ROOT))
    for name in PARTS:
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield SimpleNamespace(**runpy.run_path(str(ROOT / "scripts" / "demo.py")))
    for name in PARTS:
        sys.modules.pop(name, None)


def names(folder):
    return sorted(path.name for path in (IMAGES / folder).iterdir())


def test_the_images_are_those_that_were_committed():
    listed = dict(reversed(line.split("  ")) for line in (IMAGES / "checksums.sha256").read_text().splitlines())
    found = {path.relative_to(IMAGES).as_posix(): path for path in IMAGES.rglob("*.png")}
    assert {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in found.items()} == listed
    assert sum(path.stat().st_size for path in found.values()) < 6e6


def test_the_images_are_the_first_by_name_and_none_serves_both_ends():
    adapt, score = names("adapt"), names("labelled/image")
    assert (len(adapt), len(score)) == (64, 24)
    assert max(adapt) < min(score)
    assert names("labelled/mask") == score


def test_the_masks_hold_background_and_nuclei_in_the_size_of_their_image():
    for name in names("labelled/mask"):
        image, mask = (Image.open(IMAGES / "labelled" / kind / name) for kind in ("image", "mask"))
        assert (image.mode, image.size) == ("L", mask.size)
        assert set(np.unique(mask)) == {0, 1}


@pytest.fixture
def calls(monkeypatch):
    """The commands without networks: what the demonstration reads is written, and who was called is kept."""
    called = []

    def adapt(bundle, images, *, output, method, **settings):
        called.append(("adapt", method, settings))
        Path(output).mkdir(parents=True, exist_ok=True)
        verdict = {"decision": "outline", "sentence": f"Said of {method}."}
        report = {"method": {"name": method or "cbmt"}, "verdict": verdict}
        (Path(output) / "report.json").write_text(json.dumps(report))

    def evaluate(bundle, dataset, *, output):
        called.append(("evaluate", Path(output).name))
        dice = {"source": 0.3, "pseudo_label_offline": 0.25}.get(Path(output).name, 0.8)
        rows = [{"case": name, "nucleus_dice": dice + at / 100} for at, name in enumerate(names("labelled/image"))]
        write_csv(Path(output) / "cases.csv", ["case", "nucleus_dice"], rows)
        (Path(output) / "summary.json").write_text(json.dumps({"structures": {"nucleus": {"dice": {"mean": dice}}}}))

    def predict(bundle, images, *, output):
        called.append(("predict", Path(output).name))
        (Path(output) / "masks").mkdir(parents=True, exist_ok=True)
        for name in names("labelled/mask"):
            Image.open(IMAGES / "labelled" / "mask" / name).save(Path(output) / "masks" / name)

    for command in (adapt, evaluate, predict):
        monkeypatch.setattr(cli, command.__name__, command)
    return called


def test_the_table_shows_dice_and_verdict_and_a_loss_is_told_in_the_words_of_the_verdict(
    demo, calls, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(sys, "argv", ["demo.py", "--output", str(tmp_path)])
    demo.main()
    printed = capsys.readouterr().out
    table = printed[printed.index("network ") :]
    assert [line.split()[:2] for line in table.splitlines()[1:6]] == [
        ["source", "30.0"],
        ["bn_stats", "80.0"],
        ["cbmt", "80.0"],
        ["pseudo_label", "80.0"],
        ["pseudo_label_offline", "25.0"],
    ]
    assert table.count("made the network worse") == 1
    assert "outline a few images: Said of pseudo_label_offline." in table
    assert ("adapt", None, {"epochs": 8}) in calls
    assert ("adapt", "bn_stats", {}) in calls


def test_a_second_run_scores_nothing_again(demo, calls, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["demo.py", "--output", str(tmp_path)])
    demo.main()
    assert ("evaluate", "source") in calls
    calls.clear()
    demo.main()
    assert not [call for call in calls if call[0] == "evaluate"]


def test_the_picture_has_a_row_for_each_image_on_which_the_source_does_worst(demo, calls, tmp_path, monkeypatch):
    drawn = []
    nuclei = sys.modules["demo_nuclei"]
    monkeypatch.setattr(nuclei, "stretched", lambda path: drawn.append(path.name) or np.zeros((360, 360, 3), np.uint8))
    nuclei.run(tmp_path)
    assert drawn == names("labelled/image")[: nuclei.SHOWN]
    assert (tmp_path / "before_after.png").exists()


def test_the_other_task_is_the_simulated_clinics(demo, monkeypatch, tmp_path):
    ran = []
    monkeypatch.setattr(sys.modules["demo_fundus"], "run", ran.append)
    monkeypatch.setattr(sys, "argv", ["demo.py", "--task", "fundus"])
    demo.main()
    assert ran == [ROOT / "runs" / "demo" / "fundus"]
