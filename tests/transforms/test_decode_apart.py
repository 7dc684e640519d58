import os
import signal
import sys
import threading

import numpy as np
import pytest
from PIL import Image

from monai_sfda.transforms import PhotoReader
from monai_sfda.transforms.decode_apart import _idle
from monai_sfda.transforms.decode_apart import decode_apart as apart

PIXELS = np.random.default_rng(0).integers(256, size=(5, 7, 3), dtype=np.uint8)


@pytest.fixture
def photo(tmp_path):
    Image.fromarray(PIXELS).save(tmp_path / "é 写真.tif")
    return tmp_path / "é 写真.tif"


def test_pixels_arrive_unchanged_and_the_process_is_used_again(photo):
    assert np.array_equal(apart(photo), PIXELS)
    process = _idle[-1]
    assert np.array_equal(apart(photo), PIXELS)
    assert _idle[-1] is process


def test_a_relative_path_is_that_of_the_caller(photo, monkeypatch):
    apart(photo)  # a process that stands elsewhere
    monkeypatch.chdir(photo.parent)
    assert np.array_equal(apart(photo.name), PIXELS)


def test_a_damaged_file_is_one_sentence(tmp_path):
    (tmp_path / "a.tif").write_bytes(b"II*\0" + b"junk" * 9)
    with pytest.raises(ValueError, match=r"CMYK picture in a\.tif, found a tiff that is damaged"):
        apart(tmp_path / "a.tif")


def test_a_decoder_that_crashes_costs_one_file(photo):
    apart(photo)
    os.kill(_idle[-1].pid, signal.SIGSEGV if hasattr(signal, "SIGSEGV") else signal.SIGTERM)
    _idle[-1].wait()
    with pytest.raises(ValueError, match="found content that ended its decoder"):
        apart(photo)
    assert np.array_equal(apart(photo), PIXELS)


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
def test_a_decoder_that_hangs_is_ended(photo, monkeypatch):
    apart(photo)
    os.kill(_idle[-1].pid, signal.SIGSTOP)
    monkeypatch.setitem(apart.__globals__, "SECONDS", 0.05)
    with pytest.raises(ValueError, match="ended its decoder"):
        apart(photo)


def test_threads_have_processes_of_their_own(photo):
    found = []
    threads = [threading.Thread(target=lambda: found.append(apart(photo))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(pixels, PIXELS) for pixels in found)


def test_png_and_jpeg_are_decoded_here_whatever_they_are_called(tmp_path, monkeypatch):
    monkeypatch.setitem(PhotoReader.decode_array.__globals__, "decode_apart", None)
    Image.fromarray(PIXELS).save(tmp_path / "a.tif", format="PNG")
    assert np.array_equal(PhotoReader().decode_array(tmp_path / "a.tif"), PIXELS)
