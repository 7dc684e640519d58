import io
import struct

import numpy as np
import pytest
from PIL import Image

from monai_sfda.reading.read import read_image

RED = np.full((16, 16, 3), (200, 30, 10), np.uint8)
RGB, YCBCR = 2, 6  # photometric interpretations


def stream(**options):
    content = io.BytesIO()
    Image.fromarray(RED).save(content, "JPEG", quality=98, subsampling=0, **options)
    return content.getvalue()


def tiff(path, content, photometric):
    """By hand, because no library here puts a stream of one kind of colours under the name of another."""
    tags = {256: 16, 257: 16, 258: 0, 259: 7, 262: photometric, 273: 0, 277: 3, 278: 16, 279: len(content)}
    if photometric == YCBCR:
        tags[530] = 0x10001  # one pixel across, one down
    behind = 8 + 2 + 12 * len(tags) + 4
    tags[258], tags[273] = behind, behind + 6
    kinds = {258: (3, 3), 530: (3, 2)}  # of short numbers
    entries = b"".join(struct.pack("<HHII", tag, *kinds.get(tag, (4, 1)), value) for tag, value in tags.items())
    rest = struct.pack("<3H", 8, 8, 8) + content
    path.write_bytes(b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4) + rest)
    return path


@pytest.mark.parametrize(("photometric", "keep_rgb"), [(RGB, True), (YCBCR, False)])
def test_a_jpeg_of_the_colours_that_the_tiff_names_is_read(tmp_path, photometric, keep_rgb):
    path = tiff(tmp_path / "a.tif", stream(keep_rgb=keep_rgb), photometric)
    assert abs(read_image(path).pixels.astype(int) - RED).max() <= 2


@pytest.mark.parametrize(("photometric", "keep_rgb"), [(RGB, False), (YCBCR, True)])
def test_a_jpeg_of_other_colours_than_the_tiff_names_is_refused(tmp_path, photometric, keep_rgb):
    path = tiff(tmp_path / "a.tif", stream(keep_rgb=keep_rgb), photometric)
    with pytest.raises(ValueError, match=r"Expected colours of the kind \w+ in a\.tif, .* found a jpeg of the kind"):
        read_image(path)


def test_a_jpeg_cut_short_in_a_tiff_is_refused_and_not_filled(tmp_path):
    path = tiff(tmp_path / "a.tif", stream()[:-8], YCBCR)
    with pytest.raises(ValueError, match=r"Expected a whole picture in a\.tif, found a jpeg cut short in it"):
        read_image(path)


def test_the_numbers_of_the_components_do_not_say_that_rgb_is_another_kind(tmp_path):
    """They are arbitrary by Technical Note 2 of TIFF; Aperio writes such files."""
    content = stream(keep_rgb=True)
    content = content[:2] + content[18:]  # without Adobe's marker
    frame, scan = b"R\x11\0G\x11\0B\x11\0", b"R\0G\0B\0"
    assert content.count(frame) == content.count(scan) == 1
    content = content.replace(frame, b"\1\x11\0\2\x11\0\3\x11\0").replace(scan, b"\1\0\2\0\3\0")
    assert b"Adobe" not in content
    assert abs(read_image(tiff(tmp_path / "a.tif", content, RGB)).pixels.astype(int) - RED).max() <= 2


def test_a_jpeg_with_much_behind_its_end_is_whole(tmp_path):
    path = tiff(tmp_path / "a.tif", stream() + bytes(1000), YCBCR)
    assert abs(read_image(path).pixels.astype(int) - RED).max() <= 2
