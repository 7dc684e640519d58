import dataclasses
import os
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest
from dicom_files import RGB, write_dicom
from PIL import Image

from monai_sfda.imageio import PhotoReader
from monai_sfda.imageio.decode_in_subprocess import PROGRAM, ROOT, _idle, _stop, decode_in_subprocess
from monai_sfda.reading.read import read_image

PIXELS = np.random.default_rng(0).integers(256, size=(5, 7, 3), dtype=np.uint8)


def pixels_of(path):
    return decode_in_subprocess(path).pixels


@pytest.fixture
def photo(tmp_path):
    Image.fromarray(PIXELS).save(tmp_path / "é 写真.tif")
    return tmp_path / "é 写真.tif"


def test_pixels_arrive_unchanged_and_the_process_is_used_again(photo):
    assert np.array_equal(pixels_of(photo), PIXELS)
    process = _idle[-1]
    assert np.array_equal(pixels_of(photo), PIXELS)
    assert _idle[-1] is process


def test_a_relative_path_is_that_of_the_caller(photo, monkeypatch):
    pixels_of(photo)  # a process that stands elsewhere
    monkeypatch.chdir(photo.parent)
    assert np.array_equal(pixels_of(photo.name), PIXELS)


def test_a_damaged_file_is_one_sentence(tmp_path):
    (tmp_path / "a.tif").write_bytes(b"II*\0" + b"junk" * 9)
    with pytest.raises(ValueError, match=r"CMYK picture in a\.tif, found a tiff that is damaged"):
        pixels_of(tmp_path / "a.tif")


CRASH = """
import os, pathlib, sys
from monai_sfda.reading import serve
read_image = serve.read_image
serve.read_image = lambda path, levels: os._exit(9) if b"crash" in pathlib.Path(path).read_bytes() else read_image(path)
serve.serve()
"""


def test_a_decoder_that_crashes_costs_one_file_and_no_innocent_one(photo, tmp_path, monkeypatch):
    while _idle:
        _idle.pop().kill()
    monkeypatch.setitem(
        decode_in_subprocess.__globals__, "PROGRAM", f"import sys; sys.path.insert(0, {ROOT!r})\n{CRASH}"
    )
    (tmp_path / "bad.tif").write_bytes(b"crash")
    for _ in range(2):
        assert np.array_equal(pixels_of(photo), PIXELS)
        with pytest.raises(ValueError, match=r"in bad\.tif, found content that ended its decoder"):
            pixels_of(tmp_path / "bad.tif")
    _stop()


def test_a_file_is_not_blamed_for_a_process_that_had_ended_before(photo):
    pixels_of(photo)
    os.kill(_idle[-1].pid, signal.SIGSEGV if hasattr(signal, "SIGSEGV") else signal.SIGTERM)
    _idle[-1].wait()
    assert np.array_equal(pixels_of(photo), PIXELS)


def test_a_file_of_two_images_costs_itself_and_not_the_next(tmp_path):
    for name, content in (("a", RGB.tobytes()), ("b", RGB.tobytes() * 2), ("c", RGB.tobytes())):
        write_dicom(tmp_path / f"{name}.dcm", RGB, "RGB", PixelData=content)
    assert np.array_equal(pixels_of(tmp_path / "a.dcm"), RGB)
    with pytest.raises(ValueError, match=r"in b\.dcm, found pixels for 2 frames"):
        pixels_of(tmp_path / "b.dcm")
    assert np.array_equal(pixels_of(tmp_path / "c.dcm"), RGB)


def test_what_was_read_is_said_across_processes(photo):
    here, there = read_image(photo, [0, 9]), decode_in_subprocess(photo, [0, 9])
    assert dataclasses.asdict(there.facts) == dataclasses.asdict(here.facts)


def test_the_decoder_starts_without_the_rest_of_the_package():
    code = (
        f"{PROGRAM.rpartition(';')[0]}; import sys; print([name for name in ('torch', 'monai') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
def test_a_decoder_that_hangs_is_ended(photo, monkeypatch):
    pixels_of(photo)
    os.kill(_idle[-1].pid, signal.SIGSTOP)
    monkeypatch.setitem(decode_in_subprocess.__globals__, "SECONDS", 0.05)
    with pytest.raises(ValueError, match="ended its decoder"):
        pixels_of(photo)


def test_threads_have_processes_of_their_own(photo):
    found = []
    threads = [threading.Thread(target=lambda: found.append(pixels_of(photo))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(pixels, PIXELS) for pixels in found)


def test_png_and_jpeg_are_decoded_here_whatever_they_are_called(tmp_path, monkeypatch):
    monkeypatch.setitem(PhotoReader.decode_array.__globals__, "decode_in_subprocess", None)
    Image.fromarray(PIXELS).save(tmp_path / "a.tif", format="PNG")
    assert np.array_equal(PhotoReader().decode_array(tmp_path / "a.tif"), PIXELS)
