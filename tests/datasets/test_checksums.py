"""Checksums in files: a round trip, and names as datasets have them."""

import hashlib

from monai_sfda.datasets.checksums import read_checksums, sha256_of, write_checksums


def test_checksums_come_back_with_names_that_hold_spaces(tmp_path):
    names = ["Glaucoma and suspects/Stereo Images/G-1-L.jpg", "two  spaces.png", "a.png"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    checksums = sha256_of((tmp_path / name for name in names), tmp_path)
    assert checksums == {name: hashlib.sha256(name.encode()).hexdigest() for name in names}
    write_checksums(tmp_path / "list.sha256", checksums)
    assert read_checksums(tmp_path / "list.sha256") == checksums
    assert [path.name for path in tmp_path.glob("*list*")] == ["list.sha256"]


def test_a_file_is_read_once_and_a_lost_one_left_out(tmp_path):
    (tmp_path / "a.png").touch()
    found = sha256_of([tmp_path / "a.png", tmp_path / "a.png", tmp_path / "lost.png"], tmp_path)
    assert found == {"a.png": hashlib.sha256(b"").hexdigest()}
