import struct

import numpy as np
import pytest

from monai_sfda.reading.picture import read_picture
from monai_sfda.reading.read import read_image

INDICES = np.array([[0, 1, 1], [1, 0, 0]], np.uint8)


def bmp(path, rows, bits, greys, width=3):
    """By hand, with a table of fewer greys than the bits could count; Pillow writes no such file."""
    table = b"".join(bytes([grey] * 3 + [0]) for grey in greys)
    content = b"".join(row + bytes(-len(row) % 4) for row in reversed(rows))
    start = 54 + len(table)
    head = b"BM" + struct.pack("<IHHI", start + len(content), 0, 0, start)
    sizes = struct.pack("<IiiHHIIiiII", 40, width, len(rows), 1, bits, 0, len(content), 0, 0, len(greys), 0)
    path.write_bytes(head + sizes + table + content)
    return path


@pytest.mark.parametrize(("bits", "rows"), [(8, [b"\0\1\1", b"\1\0\0"]), (4, [b"\x01\x10", b"\x10\0"])])
def test_a_table_of_black_and_white_does_not_make_it_one_bit(tmp_path, bits, rows):
    path = bmp(tmp_path / "a.bmp", rows, bits, [0, 255])
    assert read_picture(path).levels.tolist() == INDICES.tolist()
    assert read_image(path).pixels[..., 0].tolist() == (INDICES * 255).tolist()


def test_a_table_of_greys_does_not_make_4_bits_8(tmp_path):
    path = bmp(tmp_path / "a.bmp", [b"\x0f\x30", b"\x10\0"], 4, range(16))
    assert read_image(path).pixels[..., 0].tolist() == [[0, 15, 3], [1, 0, 0]]


def test_an_index_without_a_colour_is_refused_and_not_black(tmp_path):
    path = bmp(tmp_path / "a.bmp", [b"\0\1\2"], 8, [0, 255])
    with pytest.raises(ValueError, match=r"Expected a palette of at least 3 colours in a\.bmp, found 2; export it as"):
        read_image(path)


def test_a_bmp_cut_short_is_one_sentence(tmp_path):
    path = bmp(tmp_path / "a.bmp", [b"\0\1\1", b"\1\0\0"], 8, [0, 255])
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(ValueError, match=r"Expected a whole picture in a\.bmp, found one that is damaged or cut short"):
        read_image(path)
