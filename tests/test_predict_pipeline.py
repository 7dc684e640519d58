"""Batch prediction in bad luck: killed, split over processes, full disk, odd files and names."""

import csv
import os
import random
import shutil
import signal
import sys
import time

import numpy as np
import pytest
from bundle_support import ROOT, command, random_weights, run, run_together, write_images
from PIL import Image

from monai_sfda import cli

BUNDLE = ROOT / "bundles" / "nuclei_fluorescence"


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return str(random_weights(BUNDLE, tmp_path_factory.mktemp("weights") / "model.pt"))


def failures(folder):
    with open(folder / "failures.csv", newline="", encoding="utf-8-sig") as file:
        return {row["case"]: row["reason"] for row in csv.DictReader(file)}


def files(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def kill_and_repeat(start, folder, seconds):
    """Kill a prediction at work, each time some seconds after a new mask, then let it finish; the files there are."""
    kills = 0
    for wait in seconds:
        before = len(list(folder.glob("masks/*.png")))
        process = start(folder)
        while process.is_alive() and len(list(folder.glob("masks/*.png"))) == before:
            time.sleep(0.005)
        time.sleep(wait)
        process.kill()
        process.join()
        kills += process.exitcode == -signal.SIGKILL
    assert kills >= min(len(seconds), 1)  # else it was always too late
    last = start(folder)
    last.join()
    assert last.exitcode == 0
    return files(folder)


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
def test_a_run_killed_at_fifty_moments_continues_to_the_same_files(fork, weights, tmp_path):
    def start(folder):
        settings = {"checkpoint": weights, "image_size": [64, 64], "precision": "float32", "batch_size": 2}
        process = fork(target=cli.predict, args=(str(BUNDLE), str(images)), kwargs={"output": str(folder), **settings})
        process.start()
        return process

    images = write_images(tmp_path / "images", 41)
    (images / "case_7.png").write_bytes(b"damaged")
    expected = kill_and_repeat(start, tmp_path / "undisturbed", [])
    assert sum(name.startswith("masks/") for name in expected) == 40
    chance = random.Random(0)
    for number in range(25):
        found = kill_and_repeat(start, tmp_path / f"killed_{number}", [chance.uniform(0, 0.2) for _ in range(2)])
        assert found.keys() == expected.keys()
        assert [name for name in expected if found[name] != expected[name]] == []


@pytest.mark.usefixtures("fork")
def test_two_processes_share_a_folder_and_write_one_result(weights, tmp_path):
    images = write_images(tmp_path / "images", 7)
    for name in ("a.png", "z.png"):
        (images / name).write_bytes(b"damaged")
    configs = ("inference.json", "predict.json", "multi_gpu_inference.json")
    places = {"checkpoint": weights, "dataset_dir": str(images), "results_dir": str(tmp_path / "two")}
    run_together(2, BUNDLE, *configs, image_size=[64, 64], precision="float32", batch_size=2, **places)
    tables = {"failures.csv", "masks_of.json", "report.html", "results.csv", "summary.json"}
    assert {path.name for path in (tmp_path / "two").iterdir()} == {"masks", *tables}
    assert list(failures(tmp_path / "two")) == ["a.png", "z.png"]
    with open(tmp_path / "two" / "results.csv", encoding="utf-8-sig") as file:
        status = [(row["file"], row["status"] == "failed") for row in csv.DictReader(file)]
    assert status == [*((f"case_{i}.png", False) for i in range(7)), ("a.png", True), ("z.png", True)]


def odd_files(folder):
    """Files of every misfortune; name -> a word of its reason, or None where it is to be segmented."""
    good = (folder / "case_0.png").read_bytes()
    bomb = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + (60000).to_bytes(4, "big") * 2 + b"\x08\x02\0\0\0"
    contents = {
        "truncated.png": (good[: len(good) // 2], "truncated"),
        "empty.jpg": (b"", "empty file"),
        "mislabelled.jpg": (good, None),
        "bomb.png": (bomb + (0x12345678).to_bytes(4, "big"), ""),
        "text.tif": (b"hello", "other content"),
        "scan.dcm": (bytes(128) + b"DICM" + bytes(40), ""),
        "scan.nii.gz": (b"hello", ""),
        "twin.png": (good, None),
        "ünï 写真 \N{MICROSCOPE}.png": (good, None),
        "n" * 200 + ".png": (good, None),
    }
    for name, (content, _) in contents.items():
        (folder / name).write_bytes(content)
    Image.open(folder / "twin.png").save(folder / "twin.jpg")
    (folder / "loop.png").symlink_to(folder / "loop.png")
    words = {name: word for name, (_, word) in contents.items()}
    if sys.platform == "linux":
        with open(os.fsencode(folder) + b"/bad\xff.png", "wb") as file:
            file.write(good)
        words["bad\\xff.png"] = None
    return words | {"twin.jpg": None, "loop.png": "symbolic links"}


def test_every_odd_file_is_segmented_or_a_row(weights, tmp_path, capfd):
    images = write_images(tmp_path / "images", 1)
    words = odd_files(images)
    places = {"dataset_dir": str(images), "output_dir": str(tmp_path / "out")}
    run(BUNDLE, "inference.json", checkpoint=weights, **places)
    rows = failures(tmp_path / "out")
    assert set(rows) == {name for name, word in words.items() if word is not None}
    assert [name for name, reason in rows.items() if words[name] not in reason] == []
    assert not any(str(tmp_path) in reason for reason in rows.values())
    assert len(list((tmp_path / "out").glob("*.png"))) == 1 + sum(word is None for word in words.values())
    assert "Traceback" not in capfd.readouterr().err


@pytest.fixture
def small(weights):
    return ["--checkpoint", weights, "--image_size", "[64,64]", "--precision", "float32"]


def test_a_full_disk_is_one_sentence_and_the_next_run_goes_on(monkeypatch, small, tmp_path):
    images = write_images(tmp_path / "images")
    words = ["predict", BUNDLE, images, "--output", tmp_path / "out", *small]
    with monkeypatch.context() as patch:

        def refuse(*_, **__):
            raise OSError(28, "No space left on device")

        patch.setattr(Image.Image, "save", refuse)
        with pytest.raises(SystemExit, match="No space left on device"):
            command(patch, *words)
    command(monkeypatch, *words)
    assert len(list((tmp_path / "out" / "masks").glob("*.png"))) == 3


def test_pseudonyms_stand_in_every_file_and_the_names_in_none(monkeypatch, capfd, small, tmp_path):
    images = write_images(tmp_path / "images" / "Jane Doe")
    (images / "Jane Roe.png").write_bytes(b"damaged")
    words = ["predict", BUNDLE, images.parent, "--output", tmp_path / "out", *small]
    command(monkeypatch, *words, "--pseudonym_salt", "12345678")
    text = b"".join(name.encode() + content for name, content in files(tmp_path / "out").items())
    printed = "".join(capfd.readouterr())
    for word in ("Jane", "case_", str(images)):
        assert word.encode() not in text
        assert word not in printed.replace(str(tmp_path), "")
    assert len(list((tmp_path / "out" / "masks").glob("*.png"))) == 3
    with pytest.raises(SystemExit, match="pseudonyms"):
        command(monkeypatch, *words, "--pseudonym_salt", "87654321")


def test_agreement_under_flips_is_a_column_and_a_flag(monkeypatch, small, tmp_path):
    images = write_images(tmp_path / "images")
    words = ["predict", BUNDLE, images, "--output", tmp_path / "out", *small, "--flips"]
    command(monkeypatch, *words, "--thresholds", "{'unstable':1.01,'unsure':None}")
    with open(tmp_path / "out" / "results.csv", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert all(0 <= float(row["nucleus_flip_agreement"]) <= 1 for row in rows)
    assert all("unstable_nucleus" in row["flags"] for row in rows)


def test_masks_do_not_depend_on_where_a_failure_was(weights, tmp_path):
    images = write_images(tmp_path / "images", 5)
    places = {"checkpoint": weights, "dataset_dir": str(images), "batch_size": 2}
    run(BUNDLE, "inference.json", output_dir=str(tmp_path / "all"), **places)
    shutil.copytree(tmp_path / "all", tmp_path / "again")
    (tmp_path / "again" / "case_1.png").unlink()
    run(BUNDLE, "inference.json", output_dir=str(tmp_path / "again"), skip_done=True, **places)
    assert files(tmp_path / "again") == files(tmp_path / "all")
    assert np.asarray(Image.open(tmp_path / "all" / "case_1.png")).shape == (64, 70)
