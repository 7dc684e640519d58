"""Folders that two commands must not share."""

import errno
import os
import subprocess
import sys

import filelock
import pytest

from monai_sfda.places import lock_folder

HOLD = """
import sys, time
from pathlib import Path
from monai_sfda.places import lock_folder
with lock_folder(Path(sys.argv[1])):
    print("locked", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that has locked the folder."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"locked\n"
    yield process
    process.kill()
    process.communicate()


def test_a_folder_that_another_process_has_locked_is_refused(holder, tmp_path):
    sentence = r"Expected .* to be free, found another run writing to it; wait for it or choose another --output\."
    for _ in range(2):
        with pytest.raises(PermissionError, match=sentence), lock_folder(tmp_path):
            pytest.fail("two runs write to one folder")


def test_a_process_that_is_killed_leaves_no_lock(holder, tmp_path):
    holder.kill()
    holder.wait()
    with lock_folder(tmp_path):
        pass
    assert os.listdir(tmp_path) == []


def test_a_lock_leaves_nothing_and_can_be_taken_again_after_an_error(tmp_path):
    with pytest.raises(KeyError), lock_folder(tmp_path):
        raise KeyError
    assert os.listdir(tmp_path) == []
    with lock_folder(tmp_path), pytest.raises(PermissionError, match="another run"), lock_folder(tmp_path):
        pass


def fails_with(error):
    def acquire(self):
        raise error

    return acquire


def test_a_drive_that_cannot_lock_is_written_to_without_a_lock(tmp_path, monkeypatch):
    monkeypatch.setattr(filelock.FileLock, "acquire", fails_with(OSError(errno.ENOSYS, "no locks")))
    with lock_folder(tmp_path):
        (tmp_path / "written").touch()
    assert os.listdir(tmp_path) == ["written"]


def test_a_lock_file_that_may_not_be_opened_is_not_passed_over(tmp_path, monkeypatch):
    monkeypatch.setattr(filelock.FileLock, "acquire", fails_with(PermissionError(errno.EACCES, "denied")))
    with pytest.raises(PermissionError, match="denied"), lock_folder(tmp_path):
        pytest.fail("a lock was passed over")
