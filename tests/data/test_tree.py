import logging
import os

import pytest

from monai_sfda.data import find_images
from monai_sfda.data.tree import is_system_folder, visible_files


def touch(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"pixels")
    return root


SYSTEM = [
    *(
        "@eaDir",
        "#recycle",
        "#snapshot",
        "@tmp",
        "@Recycle",
        "@Recently-Snapshot",
        ".@__thumb",
        "Network Recycle Bin 1",
    ),
    *("$RECYCLE.BIN", "$Recycle.Bin", "RECYCLER", "System Volume Information", "found.000", "Thumbs", "thumbnails"),
    *("__MACOSX", ".Trashes", ".Trash", "lost+found", ".Trash-1000", ".snapshot", "~snapshot", "trashbox", ".zfs"),
]
OWN = [
    "@home",
    "@left",
    "#1",
    "#recycled eyes",
    "$x",
    "recycle",
    "trash",
    "snapshot 2024",
    "found",
    "tmp",
    "eaDir",
    "__x",
]


@pytest.mark.parametrize("name", SYSTEM)
def test_system_folders_are_left_out_and_counted(tmp_path, caplog, name):
    touch(tmp_path, "a.png", f"{name}/a.png", f"site/{name}/deep/b.png")
    with caplog.at_level(logging.WARNING):
        assert [item["case"] for item in find_images(tmp_path)] == ["a.png"]
    assert f"are left out: 2 {name}; to read one of them all the same, give that folder itself." in caplog.text


@pytest.mark.parametrize("name", OWN)
def test_folders_of_a_user_with_odd_names_are_read(tmp_path, caplog, name):
    touch(tmp_path, "a.png", f"{name}/b.png")
    with caplog.at_level(logging.WARNING):
        assert len(find_images(tmp_path)) == 2
    assert not caplog.text


def test_a_system_folder_that_is_given_itself_is_read(tmp_path):
    touch(tmp_path, "#recycle/a.png")
    assert [item["case"] for item in find_images(tmp_path / "#recycle")] == ["a.png"]


def test_a_file_with_the_name_of_a_system_folder_is_a_file(tmp_path):
    touch(tmp_path, "Thumbs", "#recycle", "a.png")
    assert len(visible_files(tmp_path)) == 3
    assert not is_system_folder("Thumbs.db")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no such files on this system")
def test_links_to_what_never_ends_are_no_files(tmp_path):
    """Reading them would wait, or go on, for ever; a broken link is a file that is missing, and is said so."""
    os.mkfifo(tmp_path / "pipe")
    for name, target in (("a.png", tmp_path / "pipe"), ("b.png", "/dev/zero"), ("c.png", tmp_path / "gone")):
        (tmp_path / name).symlink_to(target)
    assert [path.name for path in visible_files(tmp_path)] == ["c.png"]
