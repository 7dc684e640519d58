"""Writing a dataset: whole or not at all, and the same a second time."""

import hashlib
import json
import shutil
import subprocess

import numpy as np
import pytest
from PIL import Image

from monai_sfda.data import find_pairs
from monai_sfda.datasets.files import Pair
from monai_sfda.datasets.masks import read_grey, read_rgb
from monai_sfda.datasets.prepare import prepare

SIDE = 24


@pytest.fixture
def download(tmp_path):
    """Two training images and a test image; the masks hold ids already."""
    rng = np.random.default_rng(0)
    ids = np.zeros((SIDE, SIDE), np.uint8)
    ids[8:16, 6:14] = 1
    ids[10:14, 8:12] = 2
    pairs = []
    for name, split in (("a", "train"), ("b", "train"), ("c", "site/test")):
        image, mask = tmp_path / "download" / f"{name}.png", tmp_path / "download" / f"{name}_mask.png"
        image.parent.mkdir(exist_ok=True)
        Image.fromarray(rng.integers(256, size=(SIDE, SIDE, 3), dtype=np.uint8)).save(image)
        Image.fromarray(ids).save(mask)
        pairs.append(Pair(split, name, image, (mask,)))
    return pairs


def decode(pair):
    return read_rgb(pair.image), read_grey(pair.masks[0])


def run(pairs, out, *, decode=decode, settings=None, crop=16, size=8):
    return prepare(
        pairs,
        decode,
        out=out,
        settings=settings or {"dataset": "drawings"},
        crop=crop,
        size=size,
        progress=False,
    )


def snapshot(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_layout_is_the_one_that_the_package_reads(download, tmp_path):
    assert run(download, tmp_path / "out").endswith("site/test 1, train 2 images.")
    assert [pair["case"] for pair in find_pairs(tmp_path / "out" / "train")] == ["a.png", "b.png"]
    assert [pair["case"] for pair in find_pairs(tmp_path / "out" / "site" / "test")] == ["c.png"]
    image, mask = (Image.open(tmp_path / "out" / "train" / kind / "a.png") for kind in ("image", "mask"))
    assert (image.mode, mask.mode, image.size, mask.size) == ("RGB", "L", (8, 8), (8, 8))
    # The square of 16 pixels is halved: a disc of 8 becomes 4, a cup of 4 becomes 2.
    ids = np.zeros((8, 8), np.uint8)
    ids[2:6, 2:6], ids[3:5, 3:5] = 1, 2
    assert np.array_equal(np.asarray(mask), ids)


def test_full_keeps_every_pixel(download, tmp_path):
    run(download, tmp_path / "out", crop=None, size=None)
    for kind, source in (("image", download[0].image), ("mask", download[0].masks[0])):
        written = tmp_path / "out" / "train" / kind / "a.png"
        assert np.array_equal(np.asarray(Image.open(written)), np.asarray(Image.open(source)))


def test_settings_and_checksums_lie_beside_the_images(download, tmp_path):
    out = tmp_path / "out"
    run(download, out)
    record = json.loads((out / "prepared.json").read_text())
    assert record == {"dataset": "drawings", "crop": 16, "size": 8, "images": {"train": 2, "site/test": 1}}
    digest = hashlib.sha256((out / "train/image/a.png").read_bytes()).hexdigest()
    assert f"{digest}  train/image/a.png" in (out / "checksums.sha256").read_text().splitlines()
    assert len((out / "checksums.sha256").read_text().splitlines()) == 6
    assert len((out / "sources.sha256").read_text().splitlines()) == 6


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="needs sha256sum")
def test_the_checksums_are_what_sha256sum_reads(download, tmp_path):
    run(download, tmp_path / "out")
    for manifest, folder in (("checksums.sha256", tmp_path / "out"), ("sources.sha256", download[0].image.parent)):
        command = ["sha256sum", "--check", "--strict", "--quiet", str(tmp_path / "out" / manifest)]
        subprocess.run(command, cwd=folder, check=True)


def test_a_second_run_changes_nothing_and_says_so(download, tmp_path):
    run(download, tmp_path / "out")
    before = snapshot(tmp_path)
    assert "as it was first written, 6 files read and their checksums the same" in run(download, tmp_path / "out")
    assert snapshot(tmp_path) == before


def test_an_empty_folder_is_filled(download, tmp_path):
    (tmp_path / "out").mkdir()
    run(download, tmp_path / "out")
    assert (tmp_path / "out" / "prepared.json").exists()


def test_two_runs_write_the_same_bytes(download, tmp_path):
    for name in ("one", "two"):
        run(download, tmp_path / name)
    assert snapshot(tmp_path / "one") == snapshot(tmp_path / "two")


def test_the_download_may_move_as_a_whole(download, tmp_path):
    run(download, tmp_path / "out")
    moved = tmp_path / "other" / "disk"
    shutil.copytree(tmp_path / "download", moved)
    pairs = [pair._replace(image=moved / pair.image.name, masks=(moved / pair.masks[0].name,)) for pair in download]
    assert "checksums the same" in run(pairs, tmp_path / "out")


def test_a_changed_download_is_named(download, tmp_path):
    run(download, tmp_path / "out")
    before = snapshot(tmp_path / "out")
    Image.fromarray(np.zeros((SIDE, SIDE, 3), np.uint8)).save(download[1].image)
    with pytest.raises(ValueError, match=r"found 1 files changed, added or gone \(b\.png\)"):
        run(download, tmp_path / "out")
    assert snapshot(tmp_path / "out") == before


@pytest.mark.parametrize("harm", ["edit", "delete"])
def test_a_file_changed_after_writing_is_named(download, tmp_path, harm):
    run(download, tmp_path / "out")
    victim = tmp_path / "out" / "train" / "mask" / "b.png"
    victim.write_bytes(b"edited") if harm == "edit" else victim.unlink()
    with pytest.raises(ValueError, match=r"found 1 files changed or gone \(train/mask/b\.png\)"):
        run(download, tmp_path / "out")


def test_a_file_added_after_writing_is_named(download, tmp_path):
    run(download, tmp_path / "out")
    (tmp_path / "out" / ".DS_Store").touch()
    (tmp_path / "out" / "train" / "mask" / "extra.png").touch()
    with pytest.raises(ValueError, match=r"found 1 files added \(train/mask/extra\.png\)"):
        run(download, tmp_path / "out")


@pytest.mark.parametrize("other", [{"size": 12}, {"crop": None}, {"settings": {"dataset": "others"}}])
def test_other_settings_are_refused_and_nothing_is_touched(download, tmp_path, other):
    run(download, tmp_path / "out")
    before = snapshot(tmp_path / "out")
    with pytest.raises(ValueError, match="made with the same settings, found others"):
        run(download, tmp_path / "out", **other)
    assert snapshot(tmp_path / "out") == before


def test_a_folder_of_something_else_is_left_alone(download, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("mine")
    with pytest.raises(ValueError, match="to be new, empty or of an earlier run, found other files"):
        run(download, tmp_path / "out")
    assert snapshot(tmp_path / "out") == {"thesis.txt": b"mine"}


def test_an_interrupted_run_leaves_nothing(download, tmp_path):
    def stop_at_the_last(pair):
        if pair.name == "c":
            raise KeyboardInterrupt
        return decode(pair)

    with pytest.raises(KeyboardInterrupt):
        run(download, tmp_path / "out", decode=stop_at_the_last)
    assert [path.name for path in tmp_path.iterdir()] == ["download"]


def cut_short(pair):
    pair.image.write_bytes(pair.image.read_bytes()[:200])


def other_content(pair):
    pair.image.write_text("<html>not found</html>")


def without_disc(pair):
    Image.fromarray(np.zeros((SIDE, SIDE), np.uint8)).save(pair.masks[0])


def nothing_but_cup(pair):
    Image.fromarray(np.full((SIDE, SIDE), 2, np.uint8)).save(pair.masks[0])


def without_rim(pair):
    ids = np.zeros((SIDE, SIDE), np.uint8)
    ids[5:9, 5:9] = 2
    Image.fromarray(ids).save(pair.masks[0])


def exchanged(pair):
    ids = np.full((SIDE, SIDE), 2, np.uint8)
    ids[5:9, 5:9], ids[6:8, 6:8] = 1, 0
    Image.fromarray(ids).save(pair.masks[0])


def another_size(pair):
    Image.fromarray(np.ones((SIDE, SIDE + 1), np.uint8)).save(pair.masks[0])


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (cut_short, "b: Expected a whole picture, found: .*download it again"),
        (other_content, "b: Expected a picture, found other content; download it again"),
        (without_disc, "b: Expected a disc and background in the mask, found no disc"),
        (nothing_but_cup, "b: Expected a disc and background in the mask, found only disc"),
        (without_rim, "b: Expected a rim around the cup, found all cup"),
        (exchanged, "b: Expected background at the border of the mask, found disc on most of it"),
        (another_size, "b: Expected an image and a mask of one size, found 24x24 and 25x24"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_and_nothing_is_written(download, tmp_path, harm, message):
    harm(download[1])
    with pytest.raises(ValueError, match=rf"Expected 3 usable images, found 1 that are not \(b\).*{message}"):
        run(download, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["download"]


def test_an_image_in_two_splits_is_refused(download, tmp_path):
    leak = download[0]._replace(split="site/test")
    with pytest.raises(ValueError, match=r"each image in one split, found a in site/test and train"):
        run([*download, leak], tmp_path / "out")
