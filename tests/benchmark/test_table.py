"""Rows from written scores, worked by hand."""

import csv
import json
from statistics import fmean

import pytest
from PIL import Image

from monai_sfda.benchmark import rows_of, write_plot, write_table
from monai_sfda.benchmark.job import Cost
from monai_sfda.benchmark.run import Cell

REPORT = {"verdict": {"decision": "outline"}, "method": {"reconstruction": True, "uses_target_tags": False}}


def scores(folder, *dice, empty=0):
    folder.mkdir(parents=True)
    mean = fmean(map(float, dice))
    measures = {name: {"mean": value} for name, value in (("dice", mean), ("assd_mean_of_directed", 2.0))}
    measures |= {"assd_pooled": {"mean": 2.5}, "hd95": {"mean": 4.0}, "missed": empty}
    (folder / "summary.json").write_text(json.dumps({"assd_unit": "pixels", "structures": {"disc": measures}}))
    lines = [f"{number},{value}" for number, value in enumerate(dice)]
    (folder / "cases.csv").write_text("\n".join(["case,disc_dice", *lines]) + "\n")


@pytest.fixture
def cells(tmp_path):
    scores(tmp_path / "s" / "scores", 0.5, 0.7)
    made = [Cell("pair", "source only", "source", None, tmp_path / "s")]
    for seed, dice in enumerate([(0.7, 0.6), (0.9, 0.6)]):
        folder = tmp_path / f"m{seed}"
        scores(folder / "scores", *dice, empty=seed)
        (folder / "run").mkdir()
        (folder / "run" / "report.json").write_text(json.dumps(REPORT))
        made.append(Cell("pair", "m", "method", seed, folder, Cost(10.0 + seed, 500.0)))
    return made


def test_a_row_gathers_seeds_and_compares_case_by_case(cells):
    source, row = rows_of(cells)
    assert source.dice == [60.0]
    assert source.change is None
    assert row.dice == pytest.approx([65.0, 75.0])
    # means over seeds 0.8 and 0.6 against 0.5 and 0.7: +0.3 and -0.1
    assert row.change["difference"] == pytest.approx(0.1)
    assert row.change["worse"] == 0.5
    assert (row.missing, row.seconds, row.verdicts) == ([0, 1], [10.0, 11.0], ["outline", "outline"])
    assert row.notes == "reconstruction"


def test_cases_without_a_dice_are_said_beside_the_change_and_not_called_lost(tmp_path):
    scores(tmp_path / "s" / "scores", 1.0, "nan")  # right to see nothing in the second
    scores(tmp_path / "m" / "scores", 1.0, 0.0)  # invents something there
    (tmp_path / "m" / "run").mkdir()
    (tmp_path / "m" / "run" / "report.json").write_text(json.dumps(REPORT))
    made = [Cell("pair", "source only", "source", None, tmp_path / "s"), Cell("pair", "m", "method", 0, tmp_path / "m")]
    assert "without 1 cases that are empty in truth and in a prediction" in write_table(made, tmp_path)


def test_the_last_epoch_can_be_the_oracles(cells, tmp_path):
    for seed in (0, 1):
        scores(tmp_path / f"m{seed}" / "epochs" / "model_epoch=1", 0.1, 0.1)
    assert rows_of(cells)[-1].dice == pytest.approx([65.0, 75.0])


def test_the_oracle_is_the_best_epoch_and_is_called_so(cells, tmp_path):
    for seed in (0, 1):
        scores(tmp_path / f"m{seed}" / "epochs" / "model_epoch=1", 0.8, 0.8)
        scores(tmp_path / f"m{seed}" / "epochs" / "model_epoch=2", 0.1, 0.1)
    oracle = rows_of(cells)[-1]
    assert oracle.kind == "oracle"
    assert oracle.dice == pytest.approx([80.0, 80.0])
    assert "oracle" in oracle.method


def test_a_distance_that_could_not_be_measured_is_no_number(cells, tmp_path):
    path = tmp_path / "m0" / "scores" / "summary.json"
    summary = json.loads(path.read_text())
    summary["structures"]["disc"]["assd_pooled"] = {"mean": None}
    path.write_text(json.dumps(summary))
    assert rows_of(cells)[1].pooled == [2.5]


def test_a_failed_seed_is_told_and_the_others_stand(cells):
    rows = rows_of([*cells[:2], cells[2]._replace(failure="no such layer")])
    assert [row.notes for row in rows] == ["", "1 failed: no such layer", "reconstruction"]


def test_files_say_the_same(cells, tmp_path):
    scores(tmp_path / "m0" / "scores_published", 0.5, 0.6)
    text = write_table(cells, tmp_path)
    assert text == (tmp_path / "table.md").read_text()
    assert "| m (reconstruction) | disc | 70.0 ± 7.1 | 55.0 | 2.00 ± 0.00 |" in text
    assert "| +10.0 [" in text
    assert "| 50 % | outline x2 | 10 | 500 |" in text
    with (tmp_path / "results.csv").open(encoding="utf-8-sig") as file:
        lines = list(csv.DictReader(file))
    assert {"pair": "pair", "method": "m", "kind": "method", "structure": "disc", "seed": "1", "measure": "dice"} in [
        {name: value for name, value in line.items() if name != "value"} for line in lines
    ]
    assert [line["value"] for line in lines if line["measure"] == "seconds"] == ["10.0", "11.0"]


def test_verdicts_of_older_versions_are_told_in_todays_words(cells, tmp_path):
    for seed, decision in enumerate(("adopt", "keep-source")):
        old = REPORT | {"verdict": {"decision": decision}}
        (tmp_path / f"m{seed}" / "run" / "report.json").write_text(json.dumps(old))
    assert "| outline x1, keep-source x1 |" in write_table(cells, tmp_path)


def test_the_plot_is_a_picture(cells, tmp_path):
    write_plot(rows_of(cells), tmp_path / "results.png")
    assert Image.open(tmp_path / "results.png").width > 400


def test_without_a_score_there_is_no_plot(tmp_path):
    write_plot([], tmp_path / "results.png")
    assert not (tmp_path / "results.png").exists()
