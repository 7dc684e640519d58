"""Which adaptations fit into a budget."""

import json

import pytest
from bundle_support import ROOT

from monai_sfda import schedule as module
from monai_sfda.recipe_list import COSTS, recipe_cost
from monai_sfda.schedule import Schedule, read_duration
from monai_sfda.tables import write_csv

FUNDUS = ROOT / "bundles" / "fundus_disc_cup"


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """The time is a number, and two recipes cost 2 and 4 passes, plus 1 and 3 an epoch."""
    now = [0.0]
    costs = {"bn_stats": {"once": 2, "epoch": 1}, "dpl": {"once": 4, "epoch": 3}, "cbmt": {"once": 5, "epoch": 10}}
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    monkeypatch.setattr("monai_sfda.recipe_list.read_json", lambda path: costs if path == COSTS else _read(path))
    return now


def _read(path):
    return json.loads(path.read_text())


def finish(run, name, seconds):
    (run / name).mkdir(parents=True)
    (run / name / "report.json").write_text(json.dumps({"time": {"last_epoch_seconds": seconds} if seconds else {}}))


def test_as_long_as_nothing_is_finished_there_is_no_time(tmp_path, clock):
    schedule = Schedule(FUNDUS, tmp_path, budget="10s")
    assert schedule.seconds(["bn_stats"]) is None
    assert schedule.ahead(["bn_stats", "dpl"]) == ""
    assert schedule.fits("dpl")
    clock[0] = 10.0
    assert not schedule.fits("dpl")
    assert "dpl: not within --budget 10s" in schedule.left_out(["dpl"])


def test_time_follows_from_the_last_epoch_of_the_dearest_that_is_finished(tmp_path, clock):
    """A pass takes 5 s: dpl of 2 epochs takes 4 + 2 * 3 passes, cbmt of 20 epochs 5 + 20 * 10."""
    finish(tmp_path, "bn_stats", 5.0)
    schedule = Schedule(FUNDUS, tmp_path, budget="51s")
    assert schedule.seconds(["bn_stats", "dpl"]) == 50.0
    assert schedule.ahead(["dpl", "cbmt"]) == ", about 50 s; all that are left: about 18 min"
    assert schedule.fits("dpl")
    assert not schedule.fits("cbmt")
    assert schedule.left_out(["cbmt"]).startswith("cbmt (about 17 min): not within --budget 51s; repeat")
    clock[0] = 2.0
    assert not schedule.fits("dpl")
    assert schedule.fits("bn_stats")
    finish(tmp_path, "dpl", 3.0)  # an epoch is 3 passes
    assert schedule.seconds(["cbmt"]) == 205.0


def test_epochs_that_are_behind_a_stopped_run_take_no_time(tmp_path):
    finish(tmp_path, "bn_stats", 1.0)
    write_csv(tmp_path / "cbmt" / "history.csv", ["epoch"], [{"epoch": 1}, {"epoch": 2}])
    assert Schedule(FUNDUS, tmp_path, epochs=3).seconds(["cbmt"]) == 15.0


def test_a_report_without_a_time_is_passed_over(tmp_path):
    finish(tmp_path, "bn_stats", 1.0)
    finish(tmp_path, "dpl", None)
    assert Schedule(FUNDUS, tmp_path, epochs=1).seconds(["cbmt"]) == 15.0


def test_a_recipe_that_nobody_measured_counts_as_the_typical_one():
    assert recipe_cost(FUNDUS, "mine", epochs=2) == 4 + 2 * 3


@pytest.mark.parametrize(("text", "seconds"), [("45s", 45), ("30min", 1800), ("1.5h", 5400), ("2 h", 7200)])
def test_durations(text, seconds):
    assert read_duration(text) == seconds


@pytest.mark.parametrize("text", ["30", "0min", "soon", True, "-3h"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ValueError, match=f"30min or 2h, found {text}"):
        read_duration(text)
