import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from monai_sfda.reading.exif import exif_orientation
from monai_sfda.reading.picture import read_picture
from monai_sfda.reading.read import read_image

RGB = np.stack([np.arange(32).reshape(4, 8) * k % 256 for k in (8, 5, 3)], -1).astype(np.uint8)
GREY = RGB[..., 0]
G16, RGB16 = GREY.astype(np.uint16) * 257, RGB.astype(np.uint16) * 257
INTERLACED = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
DAMAGED = r"Expected a whole picture in a\.png, found one that is damaged or cut short; export or copy it again"
GREYS, GREY_ALPHA, COLOURS, COLOURS_ALPHA = 0, 4, 2, 6  # kinds of colour, as PNG numbers them


def png(path, array, kind, chunks=(), depth=16):
    """By hand, because Pillow writes no 16-bit colours."""
    rows = array.astype(f">u{depth // 8}").reshape(len(array), -1)
    body = b"".join(b"\0" + row.tobytes() for row in rows)
    head = struct.pack(">IIBBBBB", array.shape[1], array.shape[0], depth, kind, 0, 0, 0)
    return of_chunks(path, [(b"IHDR", head), *chunks, (b"IDAT", zlib.compress(body)), (b"IEND", b"")])


def of_chunks(path, parts):
    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts))
    return path


def with_alpha(array, alpha):
    return np.dstack([array, np.full(array.shape[:2], alpha)])


def test_formats_that_start_programs_are_not_opened(tmp_path):
    (tmp_path / "photo.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 4 4\nshowpage\n")
    with pytest.raises(ValueError, match=r"photo.png, found other content"):
        read_picture(tmp_path / "photo.png")


@pytest.mark.parametrize("shift", [0, 4, 8])
@pytest.mark.parametrize("kind", [GREYS, GREY_ALPHA, COLOURS, COLOURS_ALPHA])
def test_levels_of_8_12_and_16_bits_in_a_16_bit_png_are_told_apart_also_in_colours(tmp_path, shift, kind):
    array = (G16 if kind in (GREYS, GREY_ALPHA) else RGB16) >> shift
    if kind in (GREY_ALPHA, COLOURS_ALPHA):
        array = with_alpha(array, 65535)
    shown = read_image(png(tmp_path / "a.png", array, kind))
    expected = GREY[..., None].repeat(3, -1) if kind in (GREYS, GREY_ALPHA) else RGB
    assert np.array_equal(shown.pixels, expected)
    assert shown.facts.scale_from == "values"


@pytest.mark.parametrize("bits", [10, 12, 14])
def test_the_depth_that_a_png_names_is_taken(tmp_path, bits):
    shown = read_image(png(tmp_path / "a.png", RGB16 >> (16 - bits), COLOURS, [(b"sBIT", bytes([bits] * 3))]))
    assert np.array_equal(shown.pixels, RGB)
    assert (shown.facts.white, shown.facts.scale_from) == (2**bits - 1, "file")


def test_a_dark_png_that_spreads_its_levels_as_the_standard_says_stays_dark(tmp_path):
    levels = np.array([[0, 16, 160, 4080]], np.uint16)  # 12 bits, spread by 16: 0, 1, 10 and 255 of 4095
    shown = read_image(png(tmp_path / "a.png", levels, GREYS, [(b"sBIT", b"\x0c")]))
    assert shown.pixels[..., 0].tolist() == [[0, 0, 1, 16]]  # 4080 * 255 / 65535 = 15.9


def test_transparency_and_background_of_deep_colours_change_nothing(tmp_path):
    colour = struct.pack(">3H", *RGB16[0, 1])
    path = png(tmp_path / "a.png", RGB16, COLOURS, [(b"tRNS", colour), (b"bKGD", colour)])
    assert np.array_equal(read_image(path).pixels, RGB)


@pytest.mark.parametrize("bits", [2, 4])
def test_greys_of_2_and_4_bits_are_full_scale_in_a_picture_and_ids_in_a_mask(tmp_path, bits):
    levels = np.array([[0, 1, 2, 3]], np.uint8)
    packed = {2: [[0b00011011]], 4: [[0x01, 0x23]]}[bits]
    path = png(tmp_path / "a.png", np.array(packed, np.uint8), GREYS, depth=8)
    content = bytearray(path.read_bytes())
    content[16:25] = struct.pack(">IIB", 4, 1, bits)
    content[29:33] = struct.pack(">I", zlib.crc32(bytes(content[12:29])))
    path.write_bytes(content)
    assert read_picture(path).levels.tolist() == levels.tolist()
    assert read_image(path).pixels[..., 0].tolist() == (levels * (255 // (2**bits - 1))).tolist()


def test_an_animation_is_several_pictures(tmp_path):
    first, second = Image.fromarray(RGB), Image.fromarray(255 - RGB)
    first.save(tmp_path / "a.png", save_all=True, append_images=[second])
    with pytest.raises(ValueError, match=r"Expected one picture in a\.png, found an animation of 2"):
        read_picture(tmp_path / "a.png")


def test_the_second_picture_of_a_camera_s_jpeg_is_a_copy(tmp_path):
    first, second = Image.new("RGB", (16, 16), (90, 80, 70)), Image.new("RGB", (16, 16))
    first.save(tmp_path / "a.jpg", format="MPO", save_all=True, append_images=[second])
    assert abs(read_image(tmp_path / "a.jpg").pixels.astype(int) - (90, 80, 70)).max() <= 1


@pytest.mark.parametrize("suffix", ["png", "bmp", "jpg"])
def test_only_jpeg_is_lossy(tmp_path, suffix):
    Image.fromarray(RGB).save(tmp_path / f"a.{suffix}")
    assert read_picture(tmp_path / f"a.{suffix}").lossy == (suffix == "jpg")


def test_cmyk_that_does_not_say_what_0_means_is_refused(tmp_path):
    Image.new("CMYK", (8, 4), (0, 255, 255, 0)).save(tmp_path / "a.jpg")
    stream = (tmp_path / "a.jpg").read_bytes()
    (tmp_path / "b.jpg").write_bytes(stream[:2] + stream[18:])  # without Adobe's marker
    assert b"Adobe" in stream[:18]
    with pytest.raises(ValueError, match=r"b.jpg, found a jpeg that does not say whether 0 is no ink or full ink"):
        read_picture(tmp_path / "b.jpg")


def test_an_orientation_of_0_counts_as_upright(tmp_path):
    exif = Image.Exif()
    exif[0x112] = 0
    Image.fromarray(RGB).save(tmp_path / "a.png", exif=exif)
    assert read_picture(tmp_path / "a.png").orientation == 1
    assert exif_orientation(tmp_path / "a.png") == 1


@pytest.mark.parametrize(("kind", "array"), [(GREYS, GREY), (COLOURS, RGB), (GREYS, G16), (COLOURS, RGB16)])
def test_a_png_whose_pixels_end_early_is_refused_and_not_filled_with_black(tmp_path, kind, array):
    depth = 8 * array.itemsize
    body = b"".join(b"\0" + row.astype(f">u{array.itemsize}").tobytes() for row in array[:2])
    head = struct.pack(">IIBBBBB", 8, 4, depth, kind, 0, 0, 0)
    of_chunks(tmp_path / "a.png", [(b"IHDR", head), (b"IDAT", zlib.compress(body)), (b"IEND", b"")])
    with pytest.raises(ValueError, match=DAMAGED):
        read_picture(tmp_path / "a.png")


@pytest.mark.parametrize("size", [(1, 1), (4, 7), (9, 8), (8, 10)])
@pytest.mark.parametrize("steps", [((0, 0, 1, 1),), INTERLACED])
@pytest.mark.parametrize("missing", [0, 1])
def test_black_rows_at_the_end_are_told_from_missing_ones(tmp_path, size, steps, missing):
    black = np.zeros(size, np.uint8)
    passes = [black[top::down, left::across] for left, top, across, down in steps]
    body = b"".join(b"\0" + row.tobytes() for part in passes if part.size for row in part)
    head = struct.pack(">IIBBBBB", *size[::-1], 8, GREYS, 0, 0, int(steps is INTERLACED))
    content = zlib.compress(body[: len(body) - missing])
    path = of_chunks(tmp_path / "a.png", [(b"IHDR", head), (b"IDAT", content), (b"IEND", b"")])
    if missing:
        with pytest.raises(ValueError, match=DAMAGED):
            read_picture(path)
    else:
        assert read_picture(path).levels.shape == size


@pytest.mark.parametrize(
    "parts",
    [
        [(b"IHDR", bytes(5))],  # a ValueError of Pillow
        [(b"IHDR", struct.pack(">IIBBBBB", 8, 4, 8, GREYS, 0, 0, 0)), (b"IDAT", b"x"), (b"\0\1-\2", b"")],
    ],
)
def test_damage_is_one_sentence_without_what_pillow_says(tmp_path, parts):
    with pytest.raises(ValueError, match=DAMAGED):
        read_picture(of_chunks(tmp_path / "a.png", parts))


def test_a_lack_of_memory_is_no_damage(tmp_path, monkeypatch):
    def full(image):
        raise MemoryError

    Image.fromarray(RGB).save(tmp_path / "a.png")
    monkeypatch.setattr("monai_sfda.reading.picture.pillow_levels", full)
    with pytest.raises(MemoryError):
        read_picture(tmp_path / "a.png")
