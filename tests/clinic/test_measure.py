import csv
import json

import numpy as np
from PIL import Image

from monai_sfda.clinic.measure import cup_to_disc, measure_mask, score_table, write_results

CLASSES = {1: "optic disc", 2: "optic cup"}


def eye():
    ids = np.zeros((20, 30), np.uint8)
    ids[2:12, 5:25] = 1  # disc: 10 rows, 20 columns
    ids[4:9, 10:15] = 2  # cup: 5 rows, 5 columns
    return ids


def test_ratios_are_extents_in_rows_and_columns():
    row = measure_mask(eye(), CLASSES)
    assert row["vertical_cup_to_disc_ratio"] == 0.5
    assert row["horizontal_cup_to_disc_ratio"] == 0.25
    assert (row["optic_disc_pixels"], row["optic_cup_pixels"]) == (200, 25)


def test_no_disc_has_no_ratio_and_no_cup_has_ratio_zero():
    empty, disc = np.zeros((5, 5), bool), np.ones((5, 5), bool)
    assert np.isnan(cup_to_disc(empty, empty)).all()
    assert cup_to_disc(disc, empty) == (0.0, 0.0)


def test_other_tasks_get_their_areas_only():
    assert measure_mask(eye() > 0, {1: "nucleus"}) == {"height": 20, "width": 30, "nucleus_pixels": 200}


def test_results_hold_a_row_per_mask_and_count_failures(tmp_path):
    (tmp_path / "masks" / "left").mkdir(parents=True)
    Image.fromarray(eye()).save(tmp_path / "masks" / "left" / "a.png")
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / "masks" / "b.png")
    (tmp_path / "failures.csv").write_text("case,reason\nc.png,truncated\n")
    summary = write_results(tmp_path, classes=CLASSES)
    with open(tmp_path / "results.csv") as file:
        rows = list(csv.DictReader(file))
    assert [row["mask"] for row in rows] == ["b.png", "left/a.png"]
    assert rows[0]["vertical_cup_to_disc_ratio"] == ""
    assert summary["failures"] == 1
    assert summary["mean"]["vertical_cup_to_disc_ratio"] == 0.5
    assert json.loads((tmp_path / "summary.json").read_text()) == summary


def test_scores_read_as_a_table_even_where_nothing_was_found():
    nothing = {"mean": None, "std": None, "ci95": None, "n": 0, "skipped": 2}
    some = {"mean": 0.5, "std": 0.1, "ci95": [0.4, 0.6], "n": 2, "skipped": 0}
    summary = {
        "cases": 2,
        "assd_unit": "pixels",
        "structures": {"cup": {"dice": some, "assd_mean_of_directed": nothing, "empty_pred": 2}},
    }
    line = score_table(summary).splitlines()[1]
    assert line.split() == ["cup", "50.0", "40.0", "-", "60.0", "nan", "2"]
