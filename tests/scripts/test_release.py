"""What is released: the same bytes twice, and nothing that stayed behind from somebody's work."""

import hashlib
import json
import os
import runpy
import subprocess
import zipfile
from pathlib import Path

import pytest

SCRIPT = runpy.run_path(str(Path(__file__).parents[2] / "scripts" / "release.py"))
problems, release, write_zip, write_checksums = (
    SCRIPT[name] for name in ("problems", "release", "write_zip", "write_checksums")
)
VERSION = "1.2.3"


@pytest.fixture
def bundle(tmp_path):
    folder = tmp_path / "bundle"
    for name in SCRIPT["NEEDED"]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("content")
    metadata = {"version": "0.4.0", "changelog": {"0.4.0": "new"}, "required_packages_version": {"monai-sfda": VERSION}}
    (folder / "configs" / "metadata.json").write_text(json.dumps(metadata))
    return folder


def test_the_same_files_give_the_same_bytes(tmp_path, bundle):
    sums = []
    for name, time, mode in (("first.zip", 1_000_000_000, 0o600), ("second.zip", 1_600_000_000, 0o755)):
        os.utime(bundle / "LICENSE", (time, time))
        (bundle / "LICENSE").chmod(mode)
        write_zip(bundle, tmp_path / name)
        sums.append(hashlib.sha256((tmp_path / name).read_bytes()).hexdigest())
    assert sums[0] == sums[1]


def test_folder_zip_and_checksums_belong_together(tmp_path, bundle):
    output = tmp_path / "dist"
    release([bundle], output, VERSION)
    write_checksums(output)
    with zipfile.ZipFile(output / "bundle_v0.4.0.zip") as archive:
        assert set(archive.namelist()) == {f"bundle/{name}" for name in SCRIPT["NEEDED"]}
        archive.extractall(tmp_path / "unzipped")
    assert (tmp_path / "unzipped" / "bundle" / "LICENSE").read_text() == "content"
    assert (output / "bundle" / "LICENSE").read_text() == "content"
    digest, name = (output / "SHA256SUMS").read_text().split()
    assert digest == hashlib.sha256((output / name).read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("eval/adapt/history.csv", b"", "found eval"),
        ("scripts/__pycache__/net.pyc", b"", "found scripts/__pycache__"),
        ("configs/.DS_Store", b"", "found configs/.DS_Store"),
        ("models/.model.12.pt", b"", "found models/.model.12.pt"),
        ("docs/notes.txt", b"see /home/ada/images", "found /home/ada in docs/notes.txt"),
        ("configs/train.json", b'{"dataset_dir": "C:\\\\Users\\\\ada"}', "places of one machine"),
        ("models/other.pt", b"\x80\x02/tmp/run\x00", "found /tmp/run in models/other.pt"),
    ],
)
def test_what_somebody_left_behind_is_refused(tmp_path, bundle, name, content, message):
    (bundle / name).parent.mkdir(parents=True, exist_ok=True)
    (bundle / name).write_bytes(content)
    with pytest.raises(ValueError, match=message.replace("\\", "\\\\")):
        release([bundle], tmp_path / "dist", VERSION)
    assert not (tmp_path / "dist").exists()


@pytest.mark.parametrize("name", SCRIPT["NEEDED"])
def test_a_missing_file_is_named(bundle, name):
    (bundle / name).unlink()
    assert any(f"Expected {name}, found none" in problem for problem in problems(bundle, VERSION))


def test_a_bundle_of_another_package_version_is_refused(bundle):
    assert problems(bundle, "1.2.4") == ["Expected monai-sfda 1.2.4 in required_packages_version, found 1.2.3."]


def test_a_large_file_is_refused(bundle):
    with (bundle / "models" / "model.pt").open("wb") as file:
        file.truncate(25 * 2**20 + 1)
    assert ["at most 25 MB" in problem for problem in problems(bundle, VERSION)] == [True]


def test_a_folder_with_files_is_left_alone(tmp_path, bundle):
    with pytest.raises(ValueError, match="Expected an empty folder"):
        release([bundle], tmp_path, VERSION)


def test_the_shipped_bundles_are_clean_as_committed(tmp_path):
    root = Path(__file__).parents[2]
    version = next(line for line in (root / "pyproject.toml").read_text().splitlines() if line.startswith("version"))
    for bundle in (path.parent.parent for path in (root / "bundles").glob("*/configs/metadata.json")):
        files = subprocess.run(["git", "ls-files", "."], cwd=bundle, capture_output=True, text=True).stdout.split("\n")
        if not any(files):
            pytest.skip("not a git checkout: files of a bundle cannot be told from what was left in its folder")
        copy = tmp_path / bundle.name
        for name in filter(None, files):
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).write_bytes((bundle / name).read_bytes())
        assert problems(copy, version.split('"')[1]) == []
