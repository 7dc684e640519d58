"""Fine-tuning beside the rule of `choose`: both are scored on images that were never outlined."""

import json
import re
import runpy

import pytest
from bundle_support import ROOT

from monai_sfda.tables import read_csv, write_csv

MAIN = runpy.run_path(str(ROOT / "scripts" / "benchmark_fine_tuning.py"))["main"]
CASES = [f"c{number}.png" for number in range(20)]


def scores(folder, dice):
    rows = [
        {"case": case, "nucleus_dice": value, "nucleus_pred_area": 10} for case, value in zip(CASES, dice, strict=True)
    ]
    (folder / "scores").mkdir(parents=True)
    write_csv(folder / "scores" / "cases.csv", list(rows[0]), rows)
    (folder / "scores" / "summary.json").write_text("{}")
    (folder / "scores" / "spec.json").write_text(json.dumps({"runs": [{"overrides": {"checkpoint": "x"}}]}))


@pytest.fixture
def finished(tmp_path):
    """A benchmark in which dpl gains about 0.1 on every image."""
    for name in ("image", "mask"):
        (tmp_path / "target" / name).mkdir(parents=True)
        (tmp_path / "target" / name / "c0.png").write_bytes(b"")
    pair = {"bundle": str(ROOT / "bundles" / "nuclei_fluorescence"), "target": "target"}
    (tmp_path / "m.json").write_text(json.dumps({"pairs": {"p": pair}, "methods": ["dpl"], "seeds": [0]}))
    scores(tmp_path / "out" / "p" / "source_only", [0.5] * 20)
    scores(tmp_path / "out" / "p" / "dpl_0", [0.599, 0.601] * 10)
    return tmp_path


def test_only_images_that_were_never_outlined_count(finished, capsys, monkeypatch):
    """A fine-tuned network that is right where it has learned, and worse elsewhere, is worse."""

    def tuned(pair, folder, before, source, cases, epochs):
        return [{**row, "nucleus_dice": str(1.0 if row["case"] in cases else 0.3)} for row in before]

    monkeypatch.setitem(MAIN.__globals__, "_tuned", tuned)
    words = [str(finished / "m.json"), "--output", str(finished / "out"), "--outlines", "5", "8", "--epochs", "20"]
    MAIN([*words, "--orders", "2"])
    rows = [re.sub(r" +", " ", line) for line in capsys.readouterr().out.splitlines() if line.startswith("| ")]
    assert rows == [
        "| p, nucleus | 5 outlines | 8 outlines |",
        "| the rule of `choose` | +10.0 ± 0.0 | +10.0 ± 0.0 |",
        "| dpl | +10.0 ± 0.0 | +10.0 ± 0.0 |",
        "| fine-tuned, 20 epochs | -20.0 ± 0.0 | -20.0 ± 0.0 |",
    ]


def test_as_many_outlines_as_images_leave_nothing_to_score_on(finished, capsys):
    with pytest.raises(SystemExit) as stopped:
        MAIN([str(finished / "m.json"), "--output", str(finished / "out"), "--outlines", "20"])
    assert "fewer than 20 outlines" in str(stopped.value)


def test_a_network_learns_from_the_outlined_images_alone(finished, monkeypatch):
    """And is scored on all of them at the settings of the source network."""
    done = []

    def carry_out(record, bundle, runs):
        done.append((record.name, runs[0][1]))
        if record.name == "scores":
            scores(record.parent, [0.7] * 20)

    monkeypatch.setitem(MAIN.__globals__, "carry_out", carry_out)
    pair = MAIN.__globals__["read_matrix"]([finished / "m.json"]).pairs[0]._replace(adapt={"image_size": [64, 64]})
    before = read_csv(finished / "out" / "p" / "source_only" / "scores" / "cases.csv")
    MAIN.__globals__["_tuned"](pair, finished / "t", before, {"checkpoint": "w", "cutoff": 0.4}, ["c0.png"], 20)
    assert sorted(path.name for path in (finished / "t" / "labelled").glob("*/*")) == ["c0.png"] * 2
    (trained, how), (scored, at) = done
    assert (trained, how["epochs"], how["checkpoint"], how["image_size"]) == ("trained", 20, "w", [64, 64])
    assert (scored, at["cutoff"], at["checkpoint"]) == ("scores", 0.4, finished / "t" / "trained" / "model.pt")
