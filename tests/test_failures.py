import os
from pathlib import Path

import pytest
import torch
from monai.data import MetaTensor

from monai_sfda.failures import Failures, clear_drafts, count_failures, read_failures, write_failures


def item(case="a.png", image="/home/x/a.png"):
    return {"case": case, "image": image}


def test_rows_are_sorted_and_name_no_folder(tmp_path):
    failures = Failures([{"case": "c.png", "reason": "known"}])
    failures.add(item("b/b.png", "/home/x/b/b.png"), ValueError("Expected x in /home/x/b/b.png\nand more"))
    failures.add(item(), OSError(13, "Permission denied", "/home/x/a.png"))
    failures.write(tmp_path / "failures.csv", images=9)
    text = "case,reason\na.png,Permission denied\nb/b.png,Expected x in b.png\nc.png,known\n"
    assert (tmp_path / "failures.csv").read_text(encoding="utf-8-sig") == text
    assert count_failures(tmp_path / "failures.csv") == 3


def test_items_of_a_plain_datalist_are_named_by_their_path():
    failures = Failures()
    for path in ("/x/a/1.png", Path("/x/b/1.png"), MetaTensor(torch.zeros(1), meta={"filename_or_obj": "/x/c/1.png"})):
        failures.add({"image": path}, ValueError(f"Expected a picture in {getattr(path, 'meta', path)}, found none."))
    assert list(failures.rows) == ["/x/a/1.png", "/x/b/1.png", "/x/c/1.png"]
    assert failures.rows["/x/a/1.png"] == "Expected a picture in 1.png, found none."


def test_what_a_transform_wrapped_is_the_reason(tmp_path):
    failures = Failures()
    try:
        try:
            raise ValueError("the cause")
        except ValueError as error:
            raise RuntimeError("applying transform") from error
    except RuntimeError as error:
        failures.add(item(), error)
    assert failures.rows == {"a.png": "the cause"}


def test_a_relative_folder_does_not_uncover_an_absolute_one(tmp_path, monkeypatch):
    (tmp_path / "Mustermann" / "Erika").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "Mustermann")
    failures = Failures()
    failures.add(item("0a1b", "Erika/1.nii"), ValueError(f"File {os.getcwd()}/Erika/1.nii is no gzip file"))
    assert failures.rows == {"0a1b": "File 0a1b is no gzip file"}


def test_a_pseudonym_stands_for_the_file_in_the_reason():
    failures = Failures()
    failures.add(item("0a1b", "/home/x/Jane Doe.png"), ValueError("Expected a picture in Jane Doe.png, found none."))
    assert failures.rows == {"0a1b": "Expected a picture in 0a1b, found none."}


def test_a_pseudonym_does_not_stand_for_parts_of_words():
    failures = Failures()
    failures.add(item("0a1b", "/home/x/1"), ValueError("Expected 1 frame in 1, found 10 frames."))
    assert failures.rows == {"0a1b": "Expected 0a1b frame in 0a1b, found 10 frames."}  # too much hidden is no harm


def test_a_spreadsheet_runs_no_formula_and_reading_undoes_that(tmp_path):
    rows = [{"case": "=1+1.png", "reason": "-1 found"}, {"case": "'a.png", "reason": "x"}]
    write_failures(tmp_path / "f.csv", rows)
    assert (tmp_path / "f.csv").read_text(encoding="utf-8-sig") == "case,reason\n'=1+1.png,'-1 found\n'a.png,x\n"
    assert read_failures(tmp_path / "f.csv") == rows


@pytest.mark.parametrize(
    "name", ["P-001.png", "a=b.png", "x+y.png", "_@.png", "'=1+1.png", "''-a.png", "'P-1.png", "'"]
)
def test_a_name_comes_back_whole(tmp_path, name):
    rows = [{"case": name, "reason": name}]
    write_failures(tmp_path / "f.csv", rows)
    assert read_failures(tmp_path / "f.csv") == rows


def test_nothing_but_failures_is_an_error_after_the_table(tmp_path):
    failures = Failures()
    failures.add(item(), ValueError("broken"))
    with pytest.raises(ValueError, match=r"found 0 of 1 \(first failure: a.png: broken\)"):
        failures.write(tmp_path / "failures.csv", images=1)
    assert count_failures(tmp_path / "failures.csv") == 1


def test_drafts_of_killed_runs_are_cleared_and_nothing_else(tmp_path):
    (tmp_path / "s").mkdir()
    for name in ("a.png", ".a.12.png", "s/.b.7.csv", ".hidden.png", ".config", "x.5.png"):
        (tmp_path / name).touch()
    clear_drafts(tmp_path)
    assert sorted(os.listdir(tmp_path)) == [".config", ".hidden.png", "a.png", "s", "x.5.png"]
    assert os.listdir(tmp_path / "s") == []


def test_names_of_a_series_are_hidden_where_its_case_is_a_pseudonym():
    failures = Failures()
    series = {"image": ["/home/x/Doe 1", "/home/x/Doe 2"], "case": "x/series_1"}
    failures.add(series, ValueError("Expected a place, found none in Doe 2."))
    failures.add({**series, "case": "0a1b", "kept": ""}, ValueError("Expected a place, found none in Doe 2."))
    assert failures.rows == {
        "x/series_1": "Expected a place, found none in Doe 2.",
        "0a1b": "Expected a place, found none in 0a1b.",
    }


def test_the_name_of_a_frame_does_not_replace_that_of_its_file():
    failures = Failures()
    failures.add(item("p1.nii frame 7", "/home/x/p1.nii"), ValueError("Expected a frame 0 of p1.nii, found 7."))
    assert failures.rows == {"p1.nii frame 7": "Expected a frame 0 of p1.nii, found 7."}
