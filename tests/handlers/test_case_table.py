from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import ignite.distributed as idist
import pytest
import torch
from monai.data import DataLoader, Dataset, MetaTensor
from monai.engines import SupervisedEvaluator
from monai.handlers import MeanDice, from_engine
from monai.transforms import AsDiscreted
from torch import nn

from monai_sfda.handlers.case_table import CaseTable

STRUCTURES = ["disc", "cup"]


def item(path: Path, *, cup: bool = True, axes: int = 2) -> dict[str, torch.Tensor]:
    """The image is the disc at 0..1 and the cup at 0; the reference has the disc one pixel wider."""
    shape = (2, *[1] * (axes - 1), 6)
    image, label = torch.zeros(shape), torch.zeros(shape)
    image[0, ..., :2] = 0.9
    image[1, ..., :1] = 0.9 if cup else 0.1
    label[0, ..., :3] = 1
    label[1, ..., :1] = 1
    meta = {"filename_or_obj": str(path)}
    return {"image": MetaTensor(image, meta=meta), "label": MetaTensor(label, meta=meta)}


def evaluate(items: list[dict[str, torch.Tensor]], table: CaseTable) -> SupervisedEvaluator:
    evaluator = SupervisedEvaluator(
        device=torch.device("cpu"),
        val_data_loader=DataLoader(Dataset(items), batch_size=2, num_workers=0),
        network=nn.Identity(),
        postprocessing=AsDiscreted("pred", threshold=0.75),
        key_val_metric={"dice": MeanDice(output_transform=from_engine(["pred", "label"]))},
        val_handlers=[table],
    )
    evaluator.run()
    return evaluator


def read(folder: Path) -> tuple[list[dict[str, str]], dict]:
    with open(folder / "cases.csv", newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    return rows, json.loads((folder / "summary.json").read_text())


@pytest.fixture
def finished(tmp_path):
    images = tmp_path / "data" / "image"
    items = [item(images / "b" / "1.png"), item(images / "a" / "1.png", cup=False), item(images / "a" / "2.png")]
    evaluator = evaluate(items, CaseTable(tmp_path / "out", STRUCTURES, root=images))
    return evaluator, *read(tmp_path / "out"), tmp_path


def test_an_evaluation_writes_one_row_per_case_under_its_relative_name(finished):
    _, rows, _, _ = finished
    assert [row["case"] for row in rows] == ["a/1.png", "a/2.png", "b/1.png"]


def test_a_row_holds_hand_worked_scores(finished):
    _, rows, _, _ = finished
    row = rows[1]
    # Disc: 2 of 3 pixels found. Every pixel of a one-row image is an edge: distances 0, 0 and 0, 0, 1.
    assert float(row["disc_dice"]) == pytest.approx(4 / 5)
    assert float(row["disc_dice_smoothed"]) == pytest.approx(5 / 6, abs=1e-6)
    assert float(row["disc_assd_pooled"]) == pytest.approx(1 / 5)
    assert float(row["disc_assd_mean_of_directed"]) == pytest.approx(1 / 6, abs=1e-6)
    assert (row["disc_pred_area"], row["disc_reference_area"]) == ("2", "3")
    assert float(row["cup_dice"]) == 1


def test_a_missed_structure_is_an_empty_cell_and_a_flag(finished):
    _, rows, _, _ = finished
    assert rows[0]["cup_dice"] == "0.0"
    assert rows[0]["cup_assd_pooled"] == ""
    assert (rows[0]["cup_empty_pred"], rows[0]["cup_empty_reference"]) == ("1", "0")


def test_the_summary_counts_what_the_mean_leaves_out(finished):
    _, _, summary, _ = finished
    cup = summary["structures"]["cup"]
    assert summary["cases"] == 3
    assert cup["empty_pred"] == 1
    assert (cup["assd_pooled"]["n"], cup["assd_pooled"]["skipped"]) == (2, 1)
    assert (cup["dice"]["mean"], cup["dice"]["n"]) == (pytest.approx(2 / 3), 3)
    low, high = cup["dice"]["ci95"]
    assert low < 2 / 3 < high


def test_the_summary_says_which_distance_and_unit_are_meant(finished):
    _, _, summary, _ = finished
    assert summary["assd_unit"] == "pixels"
    assert set(summary["measures"]) == set(summary["structures"]["disc"])


def test_the_metrics_of_the_engine_agree_with_the_table(finished):
    evaluator, _, summary, _ = finished
    disc, cup = summary["structures"]["disc"], summary["structures"]["cup"]
    # MeanDice averages channels, then cases; with nothing skipped that is the mean of the two means (float32).
    assert evaluator.state.metrics["dice"] == pytest.approx((disc["dice"]["mean"] + cup["dice"]["mean"]) / 2)


def test_nothing_written_names_this_machine(finished):
    *_, tmp_path = finished
    written = sorted((tmp_path / "out").iterdir())
    assert [path.name for path in written] == ["cases.csv", "summary.json"]
    assert all(str(tmp_path) not in path.read_text() for path in written)


def test_nothing_measured_is_null(tmp_path):
    table = CaseTable(tmp_path, STRUCTURES, root=tmp_path)
    evaluate([item(tmp_path / "1.png", cup=False)], table)
    assert read(tmp_path)[1]["structures"]["cup"]["assd_pooled"]["mean"] is None


def test_volumes_are_scored_too(tmp_path):
    evaluate([item(tmp_path / "1.nii.gz", axes=3)], CaseTable(tmp_path, STRUCTURES, root=tmp_path))
    assert float(read(tmp_path)[0][0]["disc_dice"]) == pytest.approx(4 / 5)


@pytest.mark.parametrize(("spacing", "expected"), [((1.0, 2.0), 2 / 5), ("affine", 3 / 5)])
def test_spacing_is_given_or_read_from_the_label(tmp_path, spacing, expected):
    data = item(tmp_path / "1.png")
    data["label"].affine = torch.diag(torch.tensor([1.0, 3.0, 1.0, 1.0]))
    evaluate([data], CaseTable(tmp_path, STRUCTURES, root=tmp_path, spacing=spacing))
    rows, summary = read(tmp_path)
    assert float(rows[0]["disc_assd_pooled"]) == pytest.approx(expected)
    assert summary["assd_unit"] != "pixels"


def test_a_second_run_replaces_the_first(tmp_path):
    table = CaseTable(tmp_path, STRUCTURES, root=tmp_path)
    evaluate([item(tmp_path / "1.png")], table)
    evaluate([item(tmp_path / "2.png")], table)
    assert [row["case"] for row in read(tmp_path)[0]] == ["2.png"]


def test_a_name_that_is_no_text_is_written_as_the_folder_list_writes_it(tmp_path):
    evaluate([item(tmp_path / os.fsdecode(b"bad\xff.png"))], CaseTable(tmp_path, STRUCTURES, root=tmp_path))
    assert [row["case"] for row in read(tmp_path)[0]] == ["bad\\xff.png"]


def output(path: Path, pred: torch.Tensor, label: torch.Tensor) -> list[dict[str, torch.Tensor]]:
    return [{"image": item(path)["image"], "pred": pred, "label": label}]


@pytest.mark.parametrize(
    ("pred", "label", "message"),
    [
        (torch.zeros(2, 1, 6), torch.zeros(2, 1, 5), "one shape"),
        (torch.zeros(2, 1, 6), torch.zeros(1, 1, 6), "reference with 2 channels"),
        (torch.zeros(2, 1, 6), torch.full((2, 1, 6), 2.0), "reference of 0 and 1"),
        (torch.full((2, 1, 6), 0.5), torch.zeros(2, 1, 6), "prediction of 0 and 1"),
    ],
)
def test_masks_that_do_not_fit_are_refused_by_name(tmp_path, pred, label, message):
    table = CaseTable(tmp_path, STRUCTURES, root=tmp_path)
    with pytest.raises(ValueError, match=rf"^site/7\.png: Expected .*{message}"):
        table.update(output(tmp_path / "site" / "7.png", pred, label))


def test_an_image_outside_the_root_is_refused(tmp_path):
    table = CaseTable(tmp_path, STRUCTURES, root=tmp_path / "image")
    with pytest.raises(ValueError, match="set root to the folder"):
        table.update(output(tmp_path / "other" / "7.png", torch.zeros(2, 1, 6), torch.zeros(2, 1, 6)))


def test_an_image_that_does_not_know_its_file_is_refused(tmp_path):
    masks = torch.zeros(2, 1, 6)
    with pytest.raises(ValueError, match="LoadImaged"):
        CaseTable(tmp_path, STRUCTURES, root=tmp_path).update([{"image": masks, "pred": masks, "label": masks}])


def test_an_evaluation_of_nothing_is_an_error_and_no_empty_table(tmp_path):
    table = CaseTable(tmp_path, STRUCTURES, root=tmp_path)
    with pytest.raises(ValueError, match="found none that could be read"):
        table.write()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("unreadable", "result"), [(1, True), (2, False)])
def test_a_selection_is_written_but_is_no_result(tmp_path, unreadable, result):
    table = CaseTable(tmp_path / "out", STRUCTURES, root=tmp_path, unreadable=unreadable)
    items = [item(tmp_path / f"{number}.png") for number in range(9)]
    if result:
        evaluate(items, table)
    else:
        with pytest.raises(ValueError, match=r"at least 90% of 11 labelled images to be scored, found 9, whose mean"):
            evaluate(items, table)
    rows, summary = read(tmp_path / "out")
    assert (len(rows), summary["cases"], summary["unreadable"]) == (9, 9, unreadable)


def test_a_structure_that_no_reference_has_is_not_scored(tmp_path, caplog):
    items = [item(tmp_path / f"{number}.png") for number in range(2)]
    for case in items:
        case["label"][1] = 0
    evaluate(items, CaseTable(tmp_path / "out", STRUCTURES, root=tmp_path))
    rows, summary = read(tmp_path / "out")
    cup = summary["structures"]["cup"]
    assert summary["unlabelled"] == ["cup"]
    assert (cup["dice"]["mean"], cup["dice"]["skipped"], cup["dice_smoothed"]["mean"]) == (None, 2, None)
    assert {row["cup_dice"] for row in rows} == {""}
    assert summary["structures"]["disc"]["dice"]["n"] == 2
    assert "No mask contains cup, so it is not scored." in caplog.text


def test_one_empty_reference_among_others_counts_as_before(tmp_path):
    items = [item(tmp_path / f"{number}.png") for number in range(2)]
    items[0]["label"][1] = 0
    evaluate(items, CaseTable(tmp_path / "out", STRUCTURES, root=tmp_path))
    rows, summary = read(tmp_path / "out")
    assert [row["cup_dice"] for row in rows] == ["0.0", "1.0"]
    assert summary["unlabelled"] == []


def test_references_that_are_all_empty_are_an_error(tmp_path):
    table = CaseTable(tmp_path / "out", STRUCTURES, root=tmp_path)
    case = item(tmp_path / "1.png")
    case["label"][:] = 0
    with pytest.raises(ValueError, match="Expected outlines of disc, cup in the masks, found all of 1 empty; save the"):
        evaluate([case], table)
    assert not (tmp_path / "out").exists()


def test_an_image_seen_twice_is_refused(tmp_path):
    table = CaseTable(tmp_path, STRUCTURES, root=tmp_path)
    twice = output(tmp_path / "7.png", torch.zeros(2, 1, 6), torch.zeros(2, 1, 6)) * 2
    with pytest.raises(ValueError, match=r"'7\.png' twice"):
        table.update(twice)


def test_a_batched_output_is_refused(tmp_path):
    with pytest.raises(ValueError, match="set decollate to true"):
        CaseTable(tmp_path, STRUCTURES, root=tmp_path).update({"pred": torch.zeros(1, 2, 1, 6)})


def evaluate_on_one_rank(rank: int, folder: str) -> None:
    # Each process has a case of its own and "shared.png", as a sampler that pads would give.
    names = ["shared.png", f"{rank}.png"]
    table = CaseTable(os.path.join(folder, "out"), STRUCTURES, root=folder)
    evaluate([item(Path(folder) / name) for name in names], table)


def test_two_processes_write_each_case_once(tmp_path):
    # The processes meet in a file: a port might be taken by another test run on this machine.
    meeting = {"init_method": f"file://{tmp_path / 'meeting'}", "start_method": "fork"}
    idist.spawn("gloo", evaluate_on_one_rank, (str(tmp_path),), nproc_per_node=2, **meeting)
    rows, summary = read(tmp_path / "out")
    assert [row["case"] for row in rows] == ["0.png", "1.png", "shared.png"]
    assert summary["cases"] == 3
