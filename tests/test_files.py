import os
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from monai_sfda.files import brief_hash, case_of, paths_of, readable_path, save_tensors, sha256, whole_file


def test_the_file_appears_when_the_block_ends(tmp_path):
    target = tmp_path / "deep" / "table.csv"
    with whole_file(target) as draft:
        draft.write_text("new")
        assert not target.exists()
    assert target.read_text() == "new"
    assert [path.name for path in target.parent.iterdir()] == ["table.csv"]


def write_half(target):
    with whole_file(target) as draft:
        draft.write_text("half")
        raise RuntimeError


def test_an_error_leaves_the_old_file_and_no_draft(tmp_path):
    target = tmp_path / "table.csv"
    target.write_text("old")
    with pytest.raises(RuntimeError):
        write_half(target)
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["table.csv"]


def test_the_draft_keeps_the_suffix_that_writers_go_by(tmp_path):
    with whole_file(tmp_path / "mask.png") as draft:
        assert draft.suffix == ".png"
        draft.touch()


def test_the_checksum_is_that_of_sha256sum(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert sha256(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_brief_hash_tells_files_apart_by_size_start_and_end(tmp_path):
    contents = [b"", b"a", b"b", b"a" * 300_000, b"a" * 300_001, b"a" * 299_999 + b"b", b"b" + b"a" * 299_999]
    hashes = []
    for number, content in enumerate(contents):
        (tmp_path / str(number)).write_bytes(content)
        hashes.append(brief_hash(tmp_path / str(number)))
    assert len(set(hashes)) == len(contents)
    assert brief_hash(tmp_path / "1") == hashes[1]


def test_the_longest_names_can_be_written(tmp_path):
    for name in ("a" * 251 + ".png", "ä" * 125 + ".png"):
        with whole_file(tmp_path / name) as draft:
            draft.write_text("")
        assert (tmp_path / name).exists()


def test_a_brief_hash_sees_the_middle_of_an_uncompressed_picture_with_a_black_border(tmp_path):
    picture = np.zeros((600, 600, 3), np.uint8)
    for number in (1, 2):
        picture[250:350, 250:350] = number
        (tmp_path / str(number)).write_bytes(picture.tobytes())
    assert brief_hash(tmp_path / "1") != brief_hash(tmp_path / "2")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files")
def test_no_room_for_weights_is_an_error_of_the_disk(tmp_path):
    """A limit on the size of files fails as a full disk does, in the middle of the writing."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            save_tensors({"a": torch.ones(100_000)}, tmp_path / "model.pt")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    save_tensors({"a": torch.ones(3)}, tmp_path / "model.pt")
    assert torch.load(tmp_path / "model.pt", weights_only=True)["a"].tolist() == [1, 1, 1]


def test_bytes_of_a_path_that_are_no_text_become_readable():
    assert readable_path(Path(os.fsdecode(b"clinic/bad\xff.png"))) == r"clinic/bad\xff.png"
    assert readable_path(Path("clinic", "写真.png")) == "clinic/写真.png"


def test_a_brief_hash_of_a_series_counts_all_its_files_in_their_order(tmp_path):
    paths = [str(tmp_path / name) for name in "abc"]
    for path in paths:
        Path(path).write_bytes(path[-1].encode())
    first = brief_hash(paths)
    assert len(first) == 16
    assert len({first, brief_hash(paths[:2]), brief_hash(paths[::-1]), brief_hash(paths[0])}) == 4
    Path(paths[2]).write_bytes(b"d")
    assert brief_hash(paths) != first


def test_an_image_of_several_files_is_called_by_its_case_or_its_first_file():
    assert case_of({"image": ["x/a.dcm", "x/b.dcm"], "case": "x/series_1"}) == "x/series_1"
    assert case_of({"image": ["x/a.dcm", "x/b.dcm"]}) == "x/a.dcm"
    assert paths_of("a.png") == paths_of(Path("a.png")) == paths_of(["a.png"]) == ["a.png"]
