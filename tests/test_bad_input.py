"""Bad luck at the command line: each case ends with one sentence or goes on, and loses nothing."""

import csv
import json
import os
import shutil
import sys

import pytest
import torch
from bundle_support import ROOT, command, random_weights, write_images
from PIL import Image

from monai_sfda.overrides import check_overrides
from monai_sfda.places import lock_folder
from monai_sfda.tables import read_csv

BUNDLE = ROOT / "bundles" / "nuclei_fluorescence"
ODD_NAMES = ["2024_01", "1e3", "a,b", "None", "clinic #3", "$HOME", "@x", "%y", 'it\'s "ü" {写真}', "a=b"]


def fails(monkeypatch, capsys, *words):
    with pytest.raises(SystemExit) as stop:
        command(monkeypatch, *words)
    sentence = str(stop.value.code)
    assert sentence.startswith("monai-sfda: Expected")
    assert len(sentence.splitlines()) == 1
    assert "Traceback" not in capsys.readouterr().err
    return sentence


@pytest.fixture
def images(tmp_path):
    return write_images(tmp_path / "images")


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return random_weights(BUNDLE, tmp_path_factory.mktemp("weights") / "model.pt")


@pytest.fixture
def small(weights):
    return ["--checkpoint", weights, "--image_size", "[64,64]", "--precision", "float32"]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_folder_may_have_any_name(monkeypatch, images, small, tmp_path, name):
    monkeypatch.chdir(tmp_path)
    images.rename(name)
    command(monkeypatch, "predict", BUNDLE, name, f"--output=masks of {name}", *small)
    assert (tmp_path / f"masks of {name}" / "masks" / "case_0.png").exists()


def test_a_bundle_and_its_weights_may_have_any_name(monkeypatch, images, weights, tmp_path):
    bundle = shutil.copytree(BUNDLE, tmp_path / "b #1, $x")
    checkpoint = shutil.copy(weights, tmp_path / "w #1.pt")
    words = ["--output", tmp_path / "out", "--checkpoint", checkpoint, "--image_size", "[64,64]"]
    command(monkeypatch, "predict", bundle, images, *words)
    assert (tmp_path / "out" / "results.csv").exists()


CONFIG = {"epochs": 20, "seed": 0, "rate": 0.5, "size": [256, 256], "device": "$x", "part": {"a": 1}, "on": True}
CONFIG["steps"] = [{"a": 1}]


@pytest.mark.parametrize(
    "given",
    [
        {"epoch": 3},
        {"other::a": 3},
        {"part::b::c": 3},
        {"part::a::b": 3},
        {"steps::1::a": 3},
        {"steps::one": 3},
        {"epochs": "abc"},
        {"epochs": 0},
        {"epochs": 1.5},
        {"epochs": True},
        {"seed": -1},
        {"rate": "x"},
        {"size": 64},
        {"size": [64]},
        {"size": [0, 64]},
        {"on": 3},
        {"device": "nope"},
    ],
    ids=str,
)
def test_a_value_that_does_not_fit_the_config_is_refused(given):
    with pytest.raises(ValueError, match=rf"Expected .*{next(iter(given)) if 'device' not in given else 'device'}"):
        check_overrides(CONFIG, given)


def test_values_that_fit_the_config_are_taken():
    fitting = {"epochs": 1, "seed": 0, "rate": 1, "size": (64, 32), "device": "cpu", "part::b": 2, "on": False}
    check_overrides(CONFIG, fitting)
    check_overrides(CONFIG, {"epochs": "$1+1", "size": "@other", "steps::0::b": 1, "part#a": 2})


def test_a_misspelt_option_names_the_right_one(monkeypatch, capsys, images, small, tmp_path):
    words = ["adapt", BUNDLE, images, "--output", tmp_path / "run", *small, "--epoch", 3]
    assert "did you mean --epochs?" in fails(monkeypatch, capsys, *words)


@pytest.mark.parametrize("words", [["--output", ""], ["--output"], ["--output", "x", "--dataset_dir", "y"]])
def test_places_are_given_once(monkeypatch, capsys, images, tmp_path, words):
    monkeypatch.chdir(tmp_path)
    fails(monkeypatch, capsys, "adapt", BUNDLE, images, *words)
    assert {path.name for path in tmp_path.iterdir()} <= {"images", "x"}


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\3\4" + b"x" * 100])
def test_a_damaged_checkpoint_is_one_sentence(monkeypatch, capsys, images, tmp_path, content):
    (tmp_path / "w.pt").write_bytes(content)
    words = ["--output", tmp_path / "out", "--checkpoint", tmp_path / "w.pt", "--image_size", "[64,64]"]
    assert "w.pt" in fails(monkeypatch, capsys, "predict", BUNDLE, images, *words)


@pytest.mark.parametrize("name", ["metadata.json", "adapt.json", "inference.json", "methods/cbmt.json"])
@pytest.mark.parametrize("content", ["{ broken", "[1]"])
def test_a_damaged_config_is_named_before_any_work(monkeypatch, capsys, images, small, tmp_path, name, content):
    bundle = shutil.copytree(BUNDLE, tmp_path / "bundle")
    (bundle / "configs" / name).write_text(content)
    words = ["adapt", bundle, images, "--output", tmp_path / "run", "--epochs", 1, *small]
    assert name in fails(monkeypatch, capsys, *words)
    assert not (tmp_path / "run" / "history.csv").exists()


def test_metadata_without_classes_is_one_sentence(monkeypatch, capsys, images, small, tmp_path):
    bundle = shutil.copytree(BUNDLE, tmp_path / "bundle")
    (bundle / "configs" / "metadata.json").write_text("{}")
    words = ["predict", bundle, images, "--output", tmp_path / "out", *small]
    assert "channel_def" in fails(monkeypatch, capsys, *words)


def test_predicting_again_beside_a_damaged_image_is_no_failure(monkeypatch, images, small, tmp_path):
    (images / "damaged.png").write_bytes(b"not a picture")
    for _ in range(2):
        command(monkeypatch, "predict", BUNDLE, images, "--output", tmp_path / "out", *small)
        assert json.loads((tmp_path / "out" / "summary.json").read_text())["failures"] == 1


def test_only_damaged_images_are_a_failure(monkeypatch, capsys, small, tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "damaged.png").write_bytes(b"not a picture")
    words = ["predict", BUNDLE, tmp_path / "images", "--output", tmp_path / "out", *small]
    assert "damaged.png" in fails(monkeypatch, capsys, *words)


def test_masks_of_other_images_or_weights_are_not_taken_for_done(monkeypatch, capsys, images, small, tmp_path):
    output = ["--output", tmp_path / "out"]
    command(monkeypatch, "predict", BUNDLE, images, *output, *small)
    others = write_images(tmp_path / "others", size=(90, 80))
    assert "images" in fails(monkeypatch, capsys, "predict", BUNDLE, others, *output, *small)
    torch.save({name: 2 * value for name, value in torch.load(small[1]).items()}, tmp_path / "w2.pt")
    words = ["--checkpoint", tmp_path / "w2.pt", *small[2:]]
    assert "weights" in fails(monkeypatch, capsys, "predict", BUNDLE, images, *output, *words)
    assert "out" not in (tmp_path / "out" / "masks_of.json").read_text()


def test_scores_of_another_dataset_or_other_settings_are_not_replaced(monkeypatch, capsys, small, tmp_path):
    first, second = (write_images(tmp_path / name, classes=1) for name in ("first", "second"))
    words = ["evaluate", BUNDLE, first, "--output", tmp_path / "out", *small]
    command(monkeypatch, *words)
    scores = (tmp_path / "out" / "cases.csv").read_text()
    said = fails(monkeypatch, capsys, "evaluate", BUNDLE, second, *words[3:])
    assert "Expected the scores in" in said
    assert "found other images; choose another output" in said
    assert "found other cutoff" in fails(monkeypatch, capsys, *words, "--cutoff", 0.7)
    command(monkeypatch, *words)
    assert (tmp_path / "out" / "cases.csv").read_text() == scores
    assert "first" not in (tmp_path / "out" / "scores_of.json").read_text()


def test_a_mistyped_folder_does_not_bind_the_output(monkeypatch, capsys, images, small, tmp_path):
    fails(monkeypatch, capsys, "predict", BUNDLE, tmp_path / "imgaes", "--output", tmp_path / "out", *small)
    command(monkeypatch, "predict", BUNDLE, images, "--output", tmp_path / "out", *small)


def test_words_too_many_stop_before_any_work(monkeypatch, capsys, images, small, tmp_path):
    words = ["predict", BUNDLE, images, "more", "--output", tmp_path / "out", *small]
    assert "found also 'more'; put a name with spaces in quotes" in fails(monkeypatch, capsys, *words)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (["--checkpoint"], "Expected a name after --checkpoint"),
        (["--epochs="], "Expected a whole number of at least 1 for --epochs"),
        (["--epochs", "abc"], "found 'abc'"),
        (["--structures", "5"], "Expected named values for --structures"),
        (["--structures", "{}"], "Expected named values for --structures"),
        (["--limits::nope", "1"], "found nope=1; give these only"),
    ],
)
def test_values_of_another_kind_stop_before_any_work(monkeypatch, capsys, images, tmp_path, option, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "abc").touch()  # a file of that name makes no path of it
    assert said in fails(monkeypatch, capsys, "adapt", BUNDLE, images, "--output", tmp_path / "run", *option)
    assert not (tmp_path / "run" / "history.csv").exists()


@pytest.mark.parametrize("matrix", ["[a.json", "[a.json]", "[1, {]"])
def test_a_list_of_files_that_is_none_is_one_sentence(monkeypatch, capsys, tmp_path, matrix):
    assert "Expected files such as" in fails(monkeypatch, capsys, "benchmark", matrix, "--output", tmp_path / "out")


def test_an_image_that_shares_its_name_later_counts_once(monkeypatch, images, small, tmp_path):
    words = ["predict", BUNDLE, images, "--output", tmp_path / "out", *small]
    command(monkeypatch, *words)
    Image.new("RGB", (70, 64)).save(images / "case_0.jpg")
    command(monkeypatch, *words)
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["images"] == 4
    assert not (tmp_path / "out" / "masks" / "case_0.png").exists()


def test_folders_may_end_as_files_do(monkeypatch, images, small, tmp_path):
    for folder in ("a.png", "case_0.png.d", "case_1"):
        (images / folder).mkdir()
        Image.new("RGB", (70, 64)).save(images / folder / "in.png")
    Image.new("RGB", (70, 64)).save(images / "a.jpg")
    command(monkeypatch, "predict", BUNDLE, images, "--output", tmp_path / "out", *small)
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["images"] == 7


def test_another_picture_under_an_old_name_is_segmented_anew(monkeypatch, images, small, tmp_path):
    """Also where its folder was moved in, which changes no time of a file."""
    words = ["predict", BUNDLE, images, "--output", tmp_path / "out", *small]
    old, new = images / "day", tmp_path / "other"
    for folder, colour in ((new, "black"), (old, "white")):
        folder.mkdir()
        Image.new("RGB", (70, 64), colour).save(folder / "1.png")
        os.utime(folder / "1.png", (0, 0))

    def brightness():
        with open(tmp_path / "out" / "results.csv", newline="", encoding="utf-8-sig") as file:
            return {row["file"]: float(row["brightness"]) for row in csv.DictReader(file)}["day/1.png"]

    command(monkeypatch, *words)
    assert brightness() == 1
    shutil.move(old, tmp_path / "away")
    shutil.move(new, old)
    command(monkeypatch, *words)
    assert brightness() == 0


@pytest.mark.parametrize("inside", [".", "masks"])
def test_masks_are_not_written_among_the_images(monkeypatch, capsys, images, small, inside):
    words = ["predict", BUNDLE, images, "--output", images / inside, *small]
    assert "outside the images" in fails(monkeypatch, capsys, *words)


@pytest.mark.parametrize("verb", ["predict", "adapt"])
def test_a_refused_output_inside_the_images_is_not_made(monkeypatch, capsys, images, small, verb):
    words = [verb, BUNDLE, images, "--output", images / "a" / "b", *small]
    assert "outside the images" in fails(monkeypatch, capsys, *words)
    assert not (images / "a").exists()


@pytest.mark.parametrize("place", ["masks", "overlays/left"])
def test_images_where_masks_go_are_refused_and_stay(monkeypatch, capsys, images, small, tmp_path, place):
    photographs = tmp_path / "out" / place
    shutil.copytree(images, photographs)
    before = {path.name: path.read_bytes() for path in photographs.iterdir()}
    words = ["predict", BUNDLE, photographs, "--output", tmp_path / "out", *small]
    assert "Expected images outside the output" in fails(monkeypatch, capsys, *words)
    assert {path.name: path.read_bytes() for path in photographs.iterdir()} == before


def test_the_output_may_be_the_folder_that_holds_the_images(monkeypatch, images, small):
    command(monkeypatch, "predict", BUNDLE, images, "--output", images.parent, *small)
    assert (images.parent / "masks" / "case_0.png").exists()


def test_an_adaptation_does_not_overwrite_its_own_bundle(monkeypatch, capsys, images, small, tmp_path):
    bundle = shutil.copytree(BUNDLE, tmp_path / "out" / "bundle")
    words = ["adapt", bundle, images, "--output", tmp_path / "out", "--epochs", 1, *small]
    assert "other than the bundle's own" in fails(monkeypatch, capsys, *words)


@pytest.mark.parametrize("name", ["device", "views"])
def test_what_must_have_a_value_is_not_none(monkeypatch, capsys, images, small, tmp_path, name):
    words = ["adapt", BUNDLE, images, "--output", tmp_path / "out", f"--{name}", "None", *small]
    assert f"Expected a value for --{name}, found None" in fails(monkeypatch, capsys, *words)


@pytest.mark.parametrize("place", ["images/names.csv", "out/names.csv"])
def test_the_table_of_pseudonyms_is_kept_out_of_folders_that_are_shared(
    monkeypatch, capsys, images, small, tmp_path, place
):
    words = ["predict", BUNDLE, images, "--output", tmp_path / "out", *small]
    words += ["--pseudonym_salt", "a long secret", "--pseudonym_table", tmp_path / place]
    assert "whoever is given that folder" in fails(monkeypatch, capsys, *words)
    assert not (tmp_path / place).exists()


def test_results_that_are_not_there_are_named_with_their_command(monkeypatch, capsys, tmp_path):
    sentence = fails(monkeypatch, capsys, "methods", BUNDLE, "--results", tmp_path)
    assert "monai-sfda benchmark" in sentence
    assert "no results.json" in sentence


def test_a_damaged_mask_of_an_earlier_run_costs_a_row(monkeypatch, capsys, images, small, tmp_path):
    (tmp_path / "out" / "masks").mkdir(parents=True)
    (tmp_path / "out" / "masks" / "case_0.png").write_bytes(b"junk")
    words = ["predict", BUNDLE, images, "--output", tmp_path / "out", *small]
    command(monkeypatch, *words)
    assert "Failed   1 image(s)" in capsys.readouterr().out
    assert 'case_0.png,"Expected a mask, found a damaged file; delete it' in (tmp_path / "out/failures.csv").read_text()
    for mask in (tmp_path / "out" / "masks").iterdir():
        mask.write_bytes(b"junk")
    assert "found only damaged ones" in fails(monkeypatch, capsys, *words)


def test_an_output_that_cannot_be_written_is_one_sentence(monkeypatch, capsys, images, small, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "masks").write_text("a file")
    words = ["predict", BUNDLE, images, "--output", tmp_path / "out", *small]
    assert "File exists" in fails(monkeypatch, capsys, *words)


def test_a_finished_adaptation_answers_for_its_own_settings_only(monkeypatch, capsys, images, small, tmp_path):
    words = ["adapt", BUNDLE, images, "--output", tmp_path / "run", *small]
    command(monkeypatch, *words, "--epochs", 1)
    assert "epochs=1 (now 2)" in fails(monkeypatch, capsys, *words, "--epochs", 2)
    others = write_images(tmp_path / "others", size=(90, 80))
    assert "other images" in fails(monkeypatch, capsys, "adapt", BUNDLE, others, *words[3:], "--epochs", 1)
    assert "other options" in fails(monkeypatch, capsys, *words, "--epochs", 1, "--network_def::norm", "instance")
    assert "did you mean --epochs" in fails(monkeypatch, capsys, *words, "--epcohs", 1)
    assert "method='cbmt'" in fails(monkeypatch, capsys, *words, "--method", "tent")


def test_two_runs_cannot_write_to_one_folder(monkeypatch, capsys, images, small, tmp_path):
    (tmp_path / "run").mkdir()
    with lock_folder(tmp_path / "run"):
        for verb in ("adapt", "predict"):
            words = [verb, BUNDLE, images, "--output", tmp_path / "run", *small]
            assert "another run" in fails(monkeypatch, capsys, *words)
    with lock_folder(tmp_path / "run"):
        pass


@pytest.mark.parametrize("content", [b"", b"hello", None], ids=["empty", "text", "other"])
def test_a_damaged_unfinished_run_says_what_to_delete(monkeypatch, capsys, images, small, tmp_path, content):
    checkpoint = tmp_path / "run" / "checkpoints" / "latest.pt"
    checkpoint.parent.mkdir(parents=True)
    if content is None:
        torch.save({"x": 1}, checkpoint)
    else:
        checkpoint.write_bytes(content)
    words = ["adapt", BUNDLE, images, "--output", tmp_path / "run", "--epochs", 1, *small]
    assert "delete it" in fails(monkeypatch, capsys, *words)


def test_what_was_decoded_at_another_size_is_not_used(monkeypatch, images, small, tmp_path):
    cache = tmp_path / "run" / "cache"
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", lambda *_, **__: None)  # as if killed before the first epoch ended
        command(patch, "adapt", BUNDLE, images, "--output", tmp_path / "run", "--epochs", 1, *small)
    next(cache.rglob("*.pt")).unlink()  # then decoded anew, and does not stack with the others if those are used
    for name in ("report.json", "checkpoints/latest.pt"):
        (tmp_path / "run" / name).unlink()
    words = ["--checkpoint", small[1], "--image_size", "[96,96]", "--epochs", 1]
    command(monkeypatch, "adapt", BUNDLE, images, "--output", tmp_path / "run", *words)
    report = json.loads((tmp_path / "run" / "report.json").read_text())
    assert report["settings"]["image_size"] == [96, 96]


def test_what_was_decoded_of_other_pictures_is_not_used(monkeypatch, images, small, tmp_path):
    words = ["adapt", BUNDLE, images, "--output", tmp_path / "run", "--epochs", 1, *small]
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", lambda *_, **__: None)  # as if killed before the first epoch ended
        command(patch, *words)
    for name in ("report.json", "checkpoints/latest.pt"):
        (tmp_path / "run" / name).unlink()
    for path in images.iterdir():  # now of one colour, under the same names
        Image.new("RGB", (70, 64), "grey").save(path)
    command(monkeypatch, *words)
    assert not (tmp_path / "run" / "cache").exists()  # the rest of the first run is gone, too
    fresh = [*words[:4], tmp_path / "fresh", *words[5:]]
    command(monkeypatch, *fresh)
    rows = [(tmp_path / name / "history.csv").read_text() for name in ("run", "fresh")]
    assert rows[0] == rows[1]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_a_name_that_is_no_text_costs_nothing(monkeypatch, images, small, tmp_path):
    os.rename(images / "case_0.png", os.fsencode(images) + b"/bad\xff.png")
    command(monkeypatch, "predict", BUNDLE, images, "--output", tmp_path / "out", *small)
    command(monkeypatch, "adapt", BUNDLE, images, "--output", tmp_path / "run", "--epochs", 1, *small)
    assert "bad\\xff.png" in (tmp_path / "out" / "results.csv").read_text()
    assert (tmp_path / "run" / "report.html").exists()


def test_evaluation_lists_what_it_left_out(monkeypatch, capsys, small, tmp_path):
    dataset = write_images(tmp_path / "data", 4, classes=1)
    Image.new("L", (70, 64), 200).save(dataset / "mask" / "case_0.png")
    Image.new("L", (5, 5)).save(dataset / "mask" / "case_1.png")
    (dataset / "image" / "case_2.png").write_bytes(b"")
    sentence = fails(monkeypatch, capsys, "evaluate", BUNDLE, dataset, "--output", tmp_path / "scores", *small)
    assert (
        "Expected at least 90% of 4 labelled images to be scored, found 1, whose mean does not describe the whole set"
        in sentence
    )
    failures = read_csv(tmp_path / "scores" / "failures.csv")
    assert [row["case"] for row in failures] == ["case_0.png", "case_1.png", "case_2.png"]
    summary = json.loads((tmp_path / "scores" / "summary.json").read_text())
    assert (summary["cases"], summary["unreadable"]) == (1, 3)
    assert [row["case"] for row in read_csv(tmp_path / "scores" / "cases.csv")] == ["case_3.png"]


def test_an_engine_that_stops_says_why_once(monkeypatch, capsys, images, small, tmp_path):
    huge = {name: v.sign() * 1e38 if v.is_floating_point() else v for name, v in torch.load(small[1]).items()}
    torch.save(huge, tmp_path / "huge.pt")  # finite weights, and overflow in the first layer
    words = ["--checkpoint", tmp_path / "huge.pt", *small[2:], "--epochs", 1]
    with pytest.raises(SystemExit, match="found nan first in the prediction"):
        command(monkeypatch, "adapt", BUNDLE, images, "--output", tmp_path / "run", *words)
    assert "terminating" not in capsys.readouterr().err
