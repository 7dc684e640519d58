"""Finished cells as candidates, and what is written about them."""

import json

import pytest

from monai_sfda.benchmark import finished_cells, write_replay
from monai_sfda.benchmark.gains import differ, scored
from monai_sfda.benchmark.matrix import Matrix, Method, Pair
from monai_sfda.tables import read_csv

HEADER = "case,disc_dice,disc_pred_area,cup_dice,cup_pred_area"


def cell(folder, disc, cup="", images=6, *, ratio=None):
    """Scores of ``images`` images, a little apart from each other; with ``ratio`` the report of an adaptation."""
    if ratio:
        (folder / "run").mkdir(parents=True)
        report = {"verdict": {"decision": "outline", "sentence": ""}, "change": {"disc": {"area_ratio": ratio}}}
        (folder / "run" / "report.json").write_text(json.dumps(report))
    place = folder / "scores"
    place.mkdir(parents=True)
    cup_of = {"": lambda _: ""}.get(cup, lambda shift: f"{cup + shift:.3f}")
    lines = [f"{n},{disc + n / 1000:.3f},{100 + n},{cup_of(n / 1000)},0" for n in range(images)]
    (place / "cases.csv").write_text("\n".join([HEADER, *lines]) + "\n")
    (place / "summary.json").write_text("{}")


@pytest.fixture
def matrix(tmp_path):
    pair = tmp_path / "a_to_b"
    cell(pair / "source_only", 0.7)
    cell(pair / "good_0", 0.9, ratio=1.0404)
    cell(pair / "bad_0", 0.5)
    cell(pair / "good_1", 0.6)
    methods = [Method("good", ["good"]), Method("bad", ["bad"])]
    return Matrix([Pair("a to b", tmp_path, tmp_path)], methods, seeds=(0, 1))


def test_only_scored_cells_count(matrix, tmp_path):
    (tmp_path / "a_to_b" / "bad_1" / "run").mkdir(parents=True)  # adapted, not yet scored
    found = [(cell.method, cell.seed) for cell in finished_cells(matrix, tmp_path)]
    assert found == [("source only", None), ("good", 0), ("good", 1), ("bad", 0)]


def test_each_seed_is_a_candidate_set_of_its_own(matrix, tmp_path):
    """Seed 0: good gains 20 points. Seed 1: good loses 10 and is alone. So half of the decisions of "always good" harm,
    and it keeps (20 - 10) / 2 of (20 + 0) / 2."""
    text = write_replay(finished_cells(matrix, tmp_path), tmp_path, orders=4)
    (panel,) = json.loads((tmp_path / "replay.json").read_text())["panels"]
    assert (panel["pair"], panel["structure"], panel["images"]) == ("a to b", "disc", 6)
    assert panel["gains"] == {"good": pytest.approx([0.2, -0.1]), "bad": pytest.approx([-0.2])}
    always = panel["shares"]["always good"]["5"]
    assert (always["harm"], always["kept"]) == (0.5, pytest.approx(0.5))
    assert panel["shares"]["always bad"]["5"]["harm"] == 1
    rule = panel["shares"]["the rule"]
    assert list(rule) == ["0", "3", "5"]  # there are six images
    assert (rule["0"]["kept"], rule["5"]["kept"], rule["5"]["harm"]) == (0, pytest.approx(1), 0)
    assert rule["5"]["used"] == [5, 5]
    assert text == (tmp_path / "replay.md").read_text()
    assert "good +20.0, -10.0; bad -20.0" in text
    assert (tmp_path / "replay.png").stat().st_size > 1000


def test_what_was_measured_is_gathered_for_the_triage(matrix, tmp_path):
    write_replay(finished_cells(matrix, tmp_path), tmp_path, orders=1)
    (row,) = read_csv(tmp_path / "adaptations.csv")  # the others have left no report
    assert row == {
        "pair": "a_to_b",
        "method": "good",
        "seed": "0",
        "structure": "disc",
        "decision": "outline",
        "area_ratio": "1.04",
        "gain": "0.2",
    }


def test_a_structure_that_no_mask_has_is_left_out_and_empty_masks_are_counted():
    before = [{"case": "0", "disc_dice": "0.7", "disc_pred_area": "9", "cup_dice": "", "cup_pred_area": "0"}]
    before.append({**before[0], "case": "1", "disc_dice": ""})
    after = [{**row, "disc_dice": "0.8", "disc_pred_area": "3"} for row in before]
    found, undefined = scored(before, {"good": after})
    assert list(found.gains) == ["disc"]
    assert found.gains["disc"]["good"] == pytest.approx([0.1, -0.2])  # the source alone is right about the second
    assert undefined == 0
    assert found.disagreement == pytest.approx([0.5, 0.5])


def test_two_empty_masks_do_not_differ():
    assert differ([{"area": "0"}], [{"area": "0"}], "area") == pytest.approx(0)
    assert differ([{"area": "4"}], [{"area": "0"}], "area") == pytest.approx(1)


def test_cells_of_other_images_are_refused(matrix, tmp_path):
    (tmp_path / "a_to_b" / "good_0" / "scores" / "cases.csv").write_text(HEADER + "\nother,0.5,1,,0\n")
    with pytest.raises(ValueError, match="found others"):
        write_replay(finished_cells(matrix, tmp_path), tmp_path, orders=1)


def test_a_folder_without_scored_methods_is_refused(matrix, tmp_path):
    with pytest.raises(ValueError, match="run the benchmark first"):
        write_replay(finished_cells(matrix, tmp_path)[:1], tmp_path, orders=1)
